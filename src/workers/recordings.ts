/** What workers have recorded, one after the other. */
import { firstValueFrom } from 'rxjs';
import type { Crew } from './crew.ts';

/** If the worker ends meanwhile, that is told instead of the rest; whoever takes its place has nothing of it. */
async function* recordingOfWorker(crew: Crew, slot: number): AsyncGenerator<string> {
  try {
    for (let isFirst = true; ; isFirst = false) {
      const reply = await firstValueFrom(
        crew.ask(slot, (ask) => ({ t: 'record', ask, isFirst, core: slot }), 'recorded'),
        { defaultValue: undefined },
      );
      if (reply === undefined || reply.isLost)
        yield `${JSON.stringify({ t: 'cut', core: slot })}\n`;
      if (reply?.piece === undefined) return;
      yield reply.piece;
    }
  } finally {
    // Who stops reading leaves the rest open there.
    crew.tell({ t: 'unrecord' }, [slot]);
  }
}

/** Pieces of some lines each; the next one is asked for when it is wanted. */
export async function* recordingsOf(crew: Crew): AsyncGenerator<string> {
  for (const slot of [...crew.slots()].sort((a, b) => a - b)) yield* recordingOfWorker(crew, slot);
}
