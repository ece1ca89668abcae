import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Prints what happens, each line with the time since the start. Colors only on a terminal, and not with NO_COLOR. */
export class ProgressPrinter {
  readonly #startedAt = performance.now();

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  say(text: string, style?: Style): void {
    const seconds = Math.floor(this.seconds);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    this.print(`${styled('dim', time.padStart(5))}  ${style === undefined ? text : styled(style, text)}`);
  }

  print(text = ''): void {
    console.log(text);
  }
}

export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** For people: `40 ms`, `2.4 s`. */
export function formatTime(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
