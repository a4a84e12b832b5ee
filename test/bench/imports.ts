/** The yardstick of base memory: a Node program that imports what linkerd-tcp imports, and waits. */
import 'fp-ts';
import 'io-ts';
import 'prom-client';
import 'rxjs';
import 'yaml';

setInterval(() => undefined, 60_000);
