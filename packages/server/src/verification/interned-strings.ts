/** Interns strings that many rows share, such as user agents. A string is freed with its last use. */
export class InternedStrings {
  readonly #numbers = new Map<string, number>();
  /** By number. 0 is the empty string, which is never freed. */
  readonly #texts: string[] = [''];
  readonly #uses: number[] = [0];
  readonly #free: number[] = [];

  /** Number of strings, including retired ones that still have uses. */
  get size(): number {
    return this.#texts.length - this.#free.length - 1;
  }

  /** Adds a use of a string. @returns its number */
  acquire(text: string): number {
    if (text === '') return 0;
    const known = this.#numbers.get(text);
    const number = known ?? this.#free.pop() ?? this.#texts.length;
    if (known === undefined) {
      this.#numbers.set(text, number);
      this.#texts[number] = text;
      this.#uses[number] = 0;
    }
    this.#uses[number] = (this.#uses[number] ?? 0) + 1;
    return number;
  }

  /** Removes a use. */
  release(number: number): void {
    if (number === 0) return;
    const uses = (this.#uses[number] ?? 0) - 1;
    this.#uses[number] = uses;
    if (uses > 0) return;
    const text = this.text(number);
    // A retired string may have a new number.
    if (this.#numbers.get(text) === number) this.#numbers.delete(text);
    this.#texts[number] = '';
    this.#free.push(number);
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }

  /** Makes the next use of a string get a new number. @returns its old number, if any */
  retire(text: string): number | undefined {
    const number = this.#numbers.get(text);
    this.#numbers.delete(text);
    return number;
  }

  /** Makes the next use of each string get a new number. @returns the old numbers */
  retireAll(): number[] {
    const numbers = [...this.#numbers.values()];
    this.#numbers.clear();
    return numbers;
  }
}
