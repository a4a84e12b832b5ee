/** How a name is delegated, with the addresses behind each concrete name. */
import type { Observable } from 'rxjs';
import type { Delegation } from '../dtab/delegation.ts';
import type { Dtab } from '../dtab/dtab.ts';
import type { Env } from '../env.ts';
import type { Path } from '../path.ts';
import type { Addr, Bound } from './namers/namer.ts';
import { type AddrOf, delegationJson, isPending, type Json, leavesOf } from './names-json.ts';
import type { Naming } from './naming.ts';
import { reckon } from './reckon.ts';

/** What is known of it at one moment. */
export interface Delegated {
  readonly step: Delegation<Bound>;
  readonly json: Json;
  /** Nothing in it is waited for. */
  readonly isSettled: boolean;
}

const PENDING: Addr = { t: 'pending' };

const shown = (step: Delegation<Bound>, known: (bound: Bound) => Addr | undefined): Delegated => {
  const addrOf: AddrOf = (bound) => known(bound) ?? PENDING;
  const addrs = leavesOf(step).map(addrOf);
  return {
    step,
    json: delegationJson(step, addrOf),
    isSettled: !isPending(step) && addrs.every(({ t }) => t !== 'pending'),
  };
};

/** Follows how a name is delegated. Order: the first word comes at once, as far as things are known. Ends: never. */
export const followDelegation = (
  naming: Naming,
  { dtab, path }: { readonly dtab: Dtab; readonly path: Path },
  { scheduler }: Env,
): Observable<Delegated> =>
  reckon<Delegation<Bound>, Bound, Addr, Delegated>(
    {
      input$: naming.delegate(dtab, path),
      source: ({ id }) => naming.addr(id),
      keyOf: ({ id }) => id,
      compute: shown,
    },
    scheduler,
  );
