/** The part of the file format that says how services are found in Kubernetes. Pure. Source: linkerd 1.x. */
import type { Path } from '../path.ts';
import { absent, object, optional } from './codec.ts';
import * as v from './values.ts';

/** The namer of Kubernetes. */
export const k8s = object('an object with the keys of io.l5d.k8s', {
  prefix: optional(v.namerPrefix, '/io.l5d.k8s' as Path, v.PREFIX_DOC),
  host: absent(
    v.apiHost,
    'the cluster that it runs in',
    'Host of an API server that asks for nothing, such as `kubectl proxy`.',
  ),
  port: optional(v.port, 8001, 'Its port; counts with `host`.'),
  kubeconfig: absent(
    v.text,
    'the cluster that it runs in',
    'File that says where the API server is, and who asks.',
  ),
  context: absent(v.text, 'the current one', 'Context of the kubeconfig.'),
  labelSelector: absent(
    v.labelKey,
    'none',
    'Names are `/NAMESPACE/PORT/SERVICE/VALUE`; only slices whose label of this key has the value count.',
  ),
});
