// What is told so often and no more: at once after a rest, and the last time surely. Refuses to count by the clock of the
// wall, which can be set back.

export class Paced {
  private at = -Infinity;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly act: () => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Acts as soon as that many milliseconds have passed since it did; of many wishes until then it carries out one. */
  wish(every: number): void {
    this.timer ??= setTimeout(() => this.go(), Math.max(0, this.at + every - this.now()));
  }

  /** The next wish need not wait. */
  hasten(): void {
    this.dispose();
    this.at = -Infinity;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private go(): void {
    this.timer = undefined;
    this.at = this.now();
    this.act();
  }
}
