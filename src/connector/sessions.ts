/** Sessions of TLS that endpoints let us resume. */

/** Most that are kept; the one that was used longest ago makes room. Each has a few KiB. */
export const MOST_SESSIONS = 1000;

/** So long after the endpoint’s certificate was judged, in ms, it is to be shown again. */
export const JUDGED_MS = 3_600_000;

/** What one handshake has to do with them. */
export interface SessionUse {
  /** The one to resume. */
  readonly session: Buffer | undefined;
  /** A new one has come; it counts once its endpoint is believed. */
  readonly remember: (session: Buffer) => void;
  /** The endpoint is believed: by its certificate, or since the session was resumed. */
  readonly believe: (isResumed: boolean) => void;
}

interface Kept {
  readonly session: Buffer;
  readonly judgedAt: number;
}

/** One session for each endpoint and name, the last that came. Bounds: `MOST_SESSIONS`, and `JUDGED_MS` in age. */
export class Sessions {
  readonly #byKey = new Map<string, Kept>();

  /** `key`: whom the handshake is with; `now` in ms, of a clock that never goes back. */
  begin(key: string, now: number): SessionUse {
    const known = this.#byKey.get(key);
    const former = known !== undefined && now - known.judgedAt < JUDGED_MS ? known : undefined;
    let judgedAt: number | undefined;
    let last: Buffer | undefined;
    const keep = (): void => {
      if (judgedAt !== undefined && last !== undefined)
        this.#keep(key, { session: last, judgedAt });
    };
    return {
      session: former?.session,
      remember: (session) => {
        last = session;
        keep();
      },
      believe: (isResumed) => {
        judgedAt = isResumed ? former?.judgedAt : now;
        keep();
      },
    };
  }

  #keep(key: string, kept: Kept): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, kept);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > MOST_SESSIONS && oldest !== undefined) this.#byKey.delete(oldest);
  }
}
