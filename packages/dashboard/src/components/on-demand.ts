import { useEffect, useEffectEvent, useState } from 'react';

/** Code that only some visits need, so it is loaded separately. */
export class OnDemand<Code> {
  readonly #load: () => Promise<Code>;
  #loaded: Code | null = null;

  constructor(load: () => Promise<Code>) {
    this.#load = load;
  }

  get loaded(): Code | null {
    return this.#loaded;
  }

  async load(): Promise<void> {
    this.#loaded ??= await this.#load();
  }

  /** For when the user is about to need it. A failure is reported when the code is needed. */
  readonly preload = (): void => {
    this.load().catch(() => undefined);
  };
}

/**
 * The code, or null until it is loaded. Replaces React.lazy, which shows nothing for 300 ms after its first fallback,
 * even if the code is already loaded.
 */
export function useOnDemand<Code>(
  source: OnDemand<Code>,
  needed: boolean,
  onFailure: (error: Error) => void,
): Code | null {
  const [, setLoaded] = useState(false);
  const fail = useEffectEvent(onFailure);
  useEffect(() => {
    if (!needed) return;
    // Even if it is loaded by now: it may not have been when this component rendered.
    source.load().then(
      () => setLoaded(true),
      (error) => fail(error),
    );
  }, [source, needed]);
  return source.loaded;
}

/** The same for code that the page cannot do without: throws if it did not load, so that the page shows the error. */
export function useOnDemandOrThrow<Code>(source: OnDemand<Code>, needed: boolean): Code | null {
  const [failure, setFailure] = useState<Error | null>(null);
  const loaded = useOnDemand(source, needed, setFailure);
  if (failure) throw failure;
  return loaded;
}
