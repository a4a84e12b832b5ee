/** Sessions of TLS that endpoints let us resume. */

/** Most that are kept; the one that was used longest ago makes room. Each has a few KiB. */
export const MOST_SESSIONS = 1000;

/** What one handshake has to do with them. */
export interface SessionUse {
  /** The one to resume. */
  readonly session: Buffer | undefined;
  /** A new one has come; it counts once its endpoint is believed. */
  readonly remember: (session: Buffer) => void;
  readonly believe: () => void;
}

/** One session for each endpoint and name, the last that came. Bounds: `MOST_SESSIONS`. */
export class Sessions {
  readonly #byKey = new Map<string, Buffer>();

  /** `key`: whom the handshake is with. */
  begin(key: string): SessionUse {
    let isBelieved = false;
    let last: Buffer | undefined;
    const keep = (session: Buffer): void => {
      this.#byKey.delete(key);
      this.#byKey.set(key, session);
      const [oldest] = this.#byKey.keys();
      if (this.#byKey.size > MOST_SESSIONS && oldest !== undefined) this.#byKey.delete(oldest);
    };
    return {
      session: this.#byKey.get(key),
      remember: (session) => {
        last = session;
        if (isBelieved) keep(session);
      },
      believe: () => {
        isBelieved = true;
        if (last !== undefined) keep(last);
      },
    };
  }
}
