/** Socket addresses in one canonical form, so that equal addresses are equal strings. Pure. */

/** An IP address with a port. `text` is its identity: `10.0.0.1:80`, `[2001:db8::1]:80`. */
export interface Address {
  readonly ip: string;
  readonly port: number;
  readonly text: string;
}

/** An endpoint of a name: `weight` is raw (finite, at least 0; 0 takes nothing new), never a fraction. */
export interface WeightedAddress {
  readonly address: Address;
  readonly weight: number;
}
