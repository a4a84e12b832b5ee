/** Why a connection is routed as it is, as people read it. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { delegationText } from './delegation-text.ts';
import type { LimitExplained, LineOf, RouteExplained } from './explain-route.ts';
import type { NameView } from './view.ts';

const MOST_ENDPOINTS = 20;

const liveLines = ({
  state,
  stale,
  resolutionAgeMs,
  waiters,
  endpoints,
}: NameView): readonly string[] => {
  const age =
    resolutionAgeMs === undefined ? '' : `, last heard ${Math.round(resolutionAgeMs)} ms ago`;
  const shown = endpoints
    .slice(0, MOST_ENDPOINTS)
    .map(({ address, state: one, weight, load, penaltyMs }) => {
      const penalty = penaltyMs === undefined ? '' : ` for ${Math.round(penaltyMs)} ms`;
      return `  ${address}  ${one}${penalty}, weight ${weight}, carries ${load}`;
    });
  const more = endpoints.length - shown.length;
  return [
    `endpoints now: ${state}${stale ? ', stale' : ''}${age}, ${waiters} waiting`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
};

const indented = (text: string): readonly string[] => text.split('\n').map((line) => `  ${line}`);

const limitLine = ({ key, value, place, line }: LimitExplained): string =>
  `  ${key}: ${JSON.stringify(value)}   ${place === undefined ? 'default' : `${place} (line ${line})`}`;

/** Lines, from the server to the endpoint. */
export const routeText = (explained: RouteExplained, lineOf: LineOf): string => {
  const { server, router, isAllowed, rules, dst, operators, limits, delegation, live, next } =
    explained;
  const at = (place: string): string => {
    const line = lineOf(place);
    return line === undefined ? place : `${place} (line ${line})`;
  };
  const nextLines =
    next === undefined
      ? []
      : [
          `next connection: drawn ${next.drawn.map(({ address, score }) => `${address} (score ${Math.round(score * 100) / 100})`).join(', ')}; it would get ${next.chosen}`,
        ];
  return [
    `server ${at(server)} of router ${router}`,
    ...(isAllowed ? [] : ['  its sources do not let the client in']),
    'rules:',
    ...rules.map(
      ({ place, isHeld, because }) => `  ${at(place)}: ${isHeld ? 'holds' : because.join('; ')}`,
    ),
    dst === undefined ? 'no rule holds: it is refused as unidentified' : `name: ${dst}`,
    ...(operators.length === 0 ? [] : ['operators, which may change that or refuse it:']),
    ...operators.map(({ kind, place }) => `  ${at(place)}: ${kind}`),
    ...(delegation === undefined ? [] : ['delegation:']),
    ...(delegation === undefined
      ? []
      : indented(isLeft(delegation) ? delegation.left : delegationText(delegation.right))),
    ...(live === undefined ? [] : liveLines(live)),
    ...nextLines,
    'limits:',
    ...limits.map(limitLine),
    ...(explained.whyNot === undefined
      ? []
      : ['why not:', ...explained.whyNot.map((line) => `  ${line}`)]),
  ].join('\n');
};
