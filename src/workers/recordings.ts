/** What workers have recorded, one after the other. */
import { firstValueFrom } from 'rxjs';
import type { Crew } from './crew.ts';

/** If the worker ends meanwhile, that is told instead of the rest. */
async function* recordingOfWorker(crew: Crew, slot: number): AsyncGenerator<string> {
  for (let isFirst = true; ; isFirst = false) {
    const reply = await firstValueFrom(
      crew.ask(slot, (ask) => ({ t: 'record', ask, isFirst, core: slot }), 'recorded'),
      { defaultValue: undefined },
    );
    if (reply === undefined) yield `${JSON.stringify({ t: 'cut', core: slot })}\n`;
    if (reply?.piece === undefined) return;
    yield reply.piece;
  }
}

/** Pieces of some lines each; the next one is asked for when it is wanted. */
export async function* recordingsOf(crew: Crew): AsyncGenerator<string> {
  for (const slot of crew.slots()) yield* recordingOfWorker(crew, slot);
}
