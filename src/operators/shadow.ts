/** The shadow of an operator: it sees everything and does nothing; what it would have done is logged. */
import { catchError, connect, EMPTY, ignoreElements, merge, tap } from 'rxjs';
import type { Envelope } from '../envelope.ts';
import { isRefusal, type Operator, type OperatorEnv, type Refusal } from './operator.ts';

/** Makes a shadow. Envelopes go on as they came; one that the operator keeps is not told of. */
export const shadow =
  (name: string, operator: Operator, { rt, log }: OperatorEnv): Operator =>
  (envelope$) =>
    envelope$.pipe(
      connect((each$) => {
        /** The one that goes through, while it does. */
        let inHand: Envelope | undefined;
        const tell = (given: Envelope | Refusal): void => {
          const fields = { rt, operator: name, id: given.id, src: inHand?.src, dst: inHand?.dst };
          if (isRefusal(given))
            log('info', 'an operator would refuse', { ...fields, why: given.why });
          else if (inHand?.id === given.id && inHand.dst !== given.dst)
            log('info', 'an operator would rename', { ...fields, to: given.dst });
        };
        return merge(
          each$.pipe(
            tap((envelope) => {
              inHand = envelope;
            }),
            operator,
            tap(tell),
            catchError((error: unknown) => {
              log('warn', 'the shadow of an operator broke', {
                rt,
                operator: name,
                error: `${error}`,
              });
              return EMPTY;
            }),
            ignoreElements(),
          ),
          each$,
        );
      }),
    );
