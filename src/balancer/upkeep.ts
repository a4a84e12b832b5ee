/** What a balancer sees to after each step: its alarm, its samples, and who wants to know how it stands. */
import type { Timer, Timers } from '../timers.ts';
import type { State } from './state.ts';
import { isIdle, nextDue } from './step.ts';

/** What the binder wants to know of a balancer, told after each step that changed it. */
export interface Status {
  /** Nothing waits or streams. */
  readonly idle: boolean;
  /** `bad`: nothing good is known of the name. `stale`: a good set that cannot be confirmed now. */
  readonly quality: 'good' | 'stale' | 'bad';
}

const qualityOf = ({ resolution, stale }: State): Status['quality'] => {
  if (resolution !== 'bound') return 'bad';
  return stale ? 'stale' : 'good';
};

/** Tells the status when it has changed. */
const makeTeller = (told: (status: Status) => void): ((state: State) => void) => {
  let last: Status | undefined;
  return (state) => {
    const idle = isIdle(state);
    const quality = qualityOf(state);
    if (last !== undefined && last.idle === idle && last.quality === quality) return;
    last = { idle, quality };
    told(last);
  };
};

/** Keeps one timer on the moment that the state waits for; when it comes, `ticked` is called. */
const makeAlarm = (timers: Timers, ticked: () => void) => {
  let timer: Timer | undefined;
  let armedFor = Number.POSITIVE_INFINITY;
  const ring = (): void => {
    armedFor = Number.POSITIVE_INFINITY;
    ticked();
  };
  return {
    /** An alarm set too early rings for nothing, once; that is cheaper than moving it with each connection. */
    set: (due: number | undefined): void => {
      if (due === undefined || due >= armedFor) return;
      timer?.drop();
      armedFor = due;
      timer = timers.after(due - timers.now(), ring);
    },
    drop: (): void => timer?.drop(),
  };
};

/** Streams are sampled so often where throughput is balanced, in ms. */
const SAMPLE_MS = 1000;

/** Samples streams while there are any; nothing ticks where nothing is sampled. */
const makeSampler = (timers: Timers, sampled: () => void) => {
  let timer: Timer | undefined;
  const sample = (): void => {
    timer = undefined;
    sampled();
  };
  return {
    keep: ({ policy, dials }: State): void => {
      if (policy.loadBalancer.load !== 'throughput' || dials.size === 0) return;
      timer ??= timers.after(SAMPLE_MS, sample);
    },
    drop: (): void => timer?.drop(),
  };
};

/** What upkeep calls. */
export interface UpkeepCalls {
  /** The time has come that the state waits for. */
  readonly ticked: () => void;
  /** Streams are to be sampled. */
  readonly sampled: () => void;
  /** The status has changed. */
  readonly status: (status: Status) => void;
}

/** Makes the upkeep of one balancer: `after` each step, until `drop`. */
export const makeUpkeep = (
  timers: Timers,
  { ticked, sampled, status }: UpkeepCalls,
): { readonly after: (state: State) => void; readonly drop: () => void } => {
  const alarm = makeAlarm(timers, ticked);
  const sampler = makeSampler(timers, sampled);
  const tell = makeTeller(status);
  return {
    after: (state) => {
      alarm.set(nextDue(state));
      sampler.keep(state);
      tell(state);
    },
    drop: () => {
      alarm.drop();
      sampler.drop();
    },
  };
};
