/** Services of Kubernetes as its API writes them, read tolerantly. Pure. Source: core/v1. */
import { type KubeObject, list, readObject, record, text } from './objects.ts';

/** A port of a service, or of a slice of it, where it has the same name. */
export interface ServicePort {
  /** Empty: it has none, and is the only one. */
  readonly name: string;
  readonly port: number;
}

/** A service. */
export interface Service extends KubeObject {
  /** Of TCP. None where it is a name for something outside of the cluster. */
  readonly ports: readonly ServicePort[];
}

const isPort = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536;

/** The ports of TCP in a list. */
export const readPorts = (ports: unknown): readonly ServicePort[] =>
  list(ports).flatMap((one) => {
    const { name, port, protocol } = record(one);
    const isTcp = protocol === undefined || protocol === 'TCP';
    return isTcp && isPort(port) ? [{ name: text(name), port }] : [];
  });

/** Reads a service; `undefined`: it has no name. */
export const readService = (value: unknown): Service | undefined => {
  const object = readObject(value);
  if (object === undefined) return undefined;
  const { ports, type } = record(record(value)['spec']);
  return { ...object, ports: type === 'ExternalName' ? [] : readPorts(ports) };
};

/** A port that is asked for by its number; `undefined`: by its name. */
export const numberOf = (wanted: string): number | undefined =>
  /^\d+$/.test(wanted) ? Number(wanted) : undefined;
