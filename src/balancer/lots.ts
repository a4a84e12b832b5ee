/** Which endpoints may be drawn: one lottery for a name, or one for each branch of its union. Pure. */
import type { Part, Union } from '../interpreter/interpreter.ts';
import { type FrozenDrum, Lottery } from './lottery.ts';
import { type Dice, roll, stride } from './random.ts';

/** An endpoint as far as its tickets are concerned. */
interface Ticketed {
  readonly index: number;
  readonly weight: number;
  readonly address: { readonly text: string };
}

/** A branch: what it weighs, and whether somebody in it may be drawn. */
interface Branch {
  readonly weight: number;
  readonly node: Node;
  readonly fork: Fork;
  isOpen: boolean;
}

/** Where connections part: each branch that is open gets its share, to the last one. */
interface Fork {
  readonly branches: Branch[];
  /** Sum of the weights that are open. */
  total: number;
  /** Where its own even sequence stands. */
  phase: number;
  /** The branch of another fork that this is; absent: the root. */
  branch: Branch | undefined;
}

/** A set of endpoints that are balanced together. */
interface Group {
  readonly id: string;
  readonly lottery: Lottery;
  branch: Branch | undefined;
}

type Node = Fork | Group;

const isGroup = (node: Node): node is Group => 'lottery' in node;

const isFork = (node: Node): node is Fork => !isGroup(node);

/** One branch as readers see it. */
export interface BranchShare {
  /** The concrete name, with the weights of the branches that lead there: `/#/io.l5d.fs/new`. */
  readonly id: string;
  /** What of all connections it gets now, 0..1. */
  readonly share: number;
  /** Somebody in it takes connections. */
  readonly isOpen: boolean;
}

/** All that lots know beside their union, part by part from left to right, forks before their branches. */
export interface FrozenLots {
  readonly forks: readonly { readonly phase: number; readonly isOpen: readonly boolean[] }[];
  readonly sets: readonly (readonly FrozenDrum[])[];
}

const sumOfOpen = ({ branches }: Fork): number =>
  // Summed anew: what is added and taken away leaves rounding behind.
  branches.reduce((sum, one) => sum + (one.isOpen ? one.weight : 0), 0);

/** Tells the forks above that somebody may be drawn below, or nobody. */
const spread = (branch: Branch | undefined, isOpen: boolean): void => {
  if (branch === undefined || branch.isOpen === isOpen) return;
  branch.isOpen = isOpen;
  const { fork } = branch;
  fork.total = sumOfOpen(fork);
  spread(fork.branch, fork.total > 0);
};

/** Endpoints that may be drawn. */
export class Lots {
  readonly #root: Node;
  /** Where an address stands, and what it weighs there; of a union only. */
  readonly #places = new Map<string, { readonly group: Group; readonly weight: number }[]>();

  /** Without a union all endpoints are drawn from together. Nobody is in it yet. */
  constructor(union?: Union, dice?: Dice) {
    this.#root =
      union === undefined || dice === undefined
        ? { id: '', lottery: new Lottery(), branch: undefined }
        : this.#plant(union, dice);
  }

  get isUnion(): boolean {
    return !isGroup(this.#root);
  }

  /** Sum of the weights at the root; 0 only if nobody may be drawn. */
  get total(): number {
    return isGroup(this.#root) ? this.#root.lottery.total : this.#root.total;
  }

  /** Puts an endpoint in, by its weights, or takes it out. */
  put(endpoint: Ticketed, isIn: boolean): void {
    if (isGroup(this.#root)) {
      this.#root.lottery.set(endpoint.index, isIn ? endpoint.weight : 0);
      return;
    }
    for (const { group, weight } of this.#places.get(endpoint.address.text) ?? []) {
      group.lottery.set(endpoint.index, isIn ? weight : 0);
      spread(group.branch, group.lottery.total > 0);
    }
  }

  holds(endpoint: Ticketed): boolean {
    const { index } = endpoint;
    if (isGroup(this.#root)) return this.#root.lottery.weight(index) > 0;
    const places = this.#places.get(endpoint.address.text) ?? [];
    return places.some(({ group }) => group.lottery.weight(index) > 0);
  }

  /**
   * The lottery to draw from; of a union by an even sequence, so that each branch gets its share to within one or two
   * connections, however few are open. O(branches). `isPeek`: what the next draw would be drawn from.
   */
  pick(isPeek = false): Lottery | undefined {
    let node = this.#root;
    while (!isGroup(node)) {
      if (node.total <= 0) return undefined;
      const phase = stride(node.phase);
      if (!isPeek) node.phase = phase;
      let rest = phase * node.total;
      let chosen: Branch | undefined;
      for (const branch of node.branches) {
        if (!branch.isOpen || branch.weight === 0) continue;
        chosen = branch;
        rest -= branch.weight;
        if (rest < 0) break;
      }
      if (chosen === undefined) return undefined;
      node = chosen.node;
    }
    return node.lottery;
  }

  /** The branches of a union, from left to right; none: there is no union. */
  shares(): readonly BranchShare[] {
    const found: BranchShare[] = [];
    const walk = (node: Node, share: number): void => {
      if (isGroup(node)) {
        if (node.branch !== undefined)
          found.push({ id: node.id, share, isOpen: node.branch.isOpen });
        return;
      }
      for (const { node: one, weight, isOpen } of node.branches)
        walk(one, isOpen && node.total > 0 ? (share * weight) / node.total : 0);
    };
    walk(this.#root, 1);
    return found;
  }

  freeze(): FrozenLots {
    const nodes = this.#nodes();
    return {
      forks: nodes.flatMap((node) =>
        isGroup(node)
          ? []
          : [{ phase: node.phase, isOpen: node.branches.map(({ isOpen }) => isOpen) }],
      ),
      sets: nodes.flatMap((node) => (isGroup(node) ? [node.lottery.freeze()] : [])),
    };
  }

  /** Has lots of the same union, which nobody is in yet, know what others knew. Errors: as `Lottery.restore`. */
  restore({ forks, sets }: FrozenLots, mostSlots: number): void {
    const nodes = this.#nodes();
    for (const [i, node] of nodes.filter(isFork).entries()) {
      const { phase = 0, isOpen = [] } = forks[i] ?? {};
      node.phase = phase;
      for (const [j, branch] of node.branches.entries()) branch.isOpen = isOpen[j] ?? false;
      node.total = sumOfOpen(node);
    }
    for (const [i, { lottery }] of nodes.filter(isGroup).entries())
      lottery.restore(sets[i] ?? [], mostSlots);
  }

  #nodes(node: Node = this.#root): readonly Node[] {
    if (isGroup(node)) return [node];
    return [node, ...node.branches.flatMap((branch) => this.#nodes(branch.node))];
  }

  #plant(part: Part, dice: Dice): Node {
    if (part.t === 'set') {
      const group: Group = { id: part.id, lottery: new Lottery(), branch: undefined };
      for (const { address, weight } of part.endpoints) {
        const places = this.#places.get(address.text) ?? [];
        places.push({ group, weight });
        this.#places.set(address.text, places);
      }
      return group;
    }
    const fork: Fork = { branches: [], total: 0, phase: roll(dice), branch: undefined };
    for (const { weight, part: one } of part.branches) {
      const node = this.#plant(one, dice);
      node.branch = { weight, node, fork, isOpen: false };
      fork.branches.push(node.branch);
    }
    return fork;
  }
}
