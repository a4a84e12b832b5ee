/** What is kept of what a peer has said while nobody takes it. */

/** Counts bytes that are held; whoever adds some takes them off again. */
export interface Account {
  held: number;
}

/** A connection in whose name bytes are kept. They stand in the account of all until it is closed. */
export abstract class Keeper {
  protected readonly account: Account;
  #kept = 0;

  constructor(account: Account) {
    this.account = account;
  }

  abstract get isOpen(): boolean;

  /** So many bytes more are kept, or fewer. */
  keep(bytes: number): void {
    if (!this.isOpen) return;
    this.#kept += bytes;
    this.account.held += bytes;
  }

  /** It closes. */
  protected keepNothing(): void {
    this.account.held -= this.#kept;
    this.#kept = 0;
  }
}
