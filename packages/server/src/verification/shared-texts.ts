/** Texts that many rows share, such as user agents, by number. A text goes with the last row that has it. */
export class SharedTexts {
  readonly #numbers = new Map<string, number>();
  /** By number. 0 is the empty text, which is nobody's and never goes. */
  readonly #texts: string[] = [''];
  readonly #uses: number[] = [0];
  readonly #free: number[] = [];

  /** How many texts have a number, or had one and still have uses. */
  get size(): number {
    return this.#texts.length - this.#free.length - 1;
  }

  /** @returns the number of a text, which has one more use now */
  take(text: string): number {
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

  /** Gives back what `take` gave. */
  release(number: number): void {
    if (number === 0) return;
    const uses = (this.#uses[number] ?? 0) - 1;
    this.#uses[number] = uses;
    if (uses > 0) return;
    const text = this.text(number);
    // After `retire` the text may have another number.
    if (this.#numbers.get(text) === number) this.#numbers.delete(text);
    this.#texts[number] = '';
    this.#free.push(number);
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }

  /** Gives a text another number from now on. @returns the number that it had, if it had one */
  retire(text: string): number | undefined {
    const number = this.#numbers.get(text);
    this.#numbers.delete(text);
    return number;
  }

  /** Gives all texts other numbers from now on. @returns the numbers that they had */
  retireAll(): number[] {
    const numbers = [...this.#numbers.values()];
    this.#numbers.clear();
    return numbers;
  }
}
