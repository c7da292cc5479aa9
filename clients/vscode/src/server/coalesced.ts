// Work that many wish for at once. Refuses two at a time: one is carried out, and of all wishes meanwhile one more.

export class Coalesced {
  private working: Promise<void> | undefined;
  private again = false;

  constructor(private readonly work: () => Promise<void>) {}

  /** Returns when what was wished for is done, beginning after the wish. */
  wish(): Promise<void> {
    if (this.working !== undefined) {
      this.again = true;
      return this.working;
    }
    this.working = this.untilDone().finally(() => {
      this.working = undefined;
    });
    return this.working;
  }

  private async untilDone(): Promise<void> {
    do {
      this.again = false;
      await this.work();
    } while (this.again);
  }
}
