import type { Readable } from 'node:stream';
import { HistoryUnavailable } from './git.ts';

/** Reads lines and blocks of bytes from the output of Git. */
export class ByteReader {
  readonly #pieces: AsyncIterator<unknown>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** @returns undefined at the end */
  async line(): Promise<string | undefined> {
    let end = this.#buffer.indexOf('\n');
    while (end === -1) {
      if (!(await this.#more())) return undefined;
      end = this.#buffer.indexOf('\n');
    }
    const line = this.#buffer.subarray(0, end).toString('utf8');
    this.#buffer = this.#buffer.subarray(end + 1);
    return line;
  }

  /** Unlike those of node:readline, lines end only with a line feed: a file name can contain the other characters. */
  async *lines(): AsyncGenerator<string> {
    for (let line = await this.line(); line !== undefined; line = await this.line()) yield line;
  }

  /**
   * The next bytes, which can be more than fit into memory.
   *
   * @throws {HistoryUnavailable} the output is shorter
   */
  async *bytes(count: number): AsyncGenerator<Buffer, void> {
    for (let left = count; left > 0; ) {
      if (this.#buffer.length === 0 && !(await this.#more()))
        throw new HistoryUnavailable('git ended in the middle of an object');
      const part = this.#buffer.subarray(0, left);
      left -= part.length;
      this.#buffer = this.#buffer.subarray(part.length);
      yield part;
    }
  }

  /** Skips the rest of such bytes. */
  async skip(bytes: AsyncGenerator<Buffer, void>): Promise<void> {
    while ((await bytes.next()).done !== true);
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#pieces.next();
    if (done === true || !(value instanceof Uint8Array)) return false;
    this.#buffer = Buffer.concat([this.#buffer, value]);
    return true;
  }
}
