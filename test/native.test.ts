/** The look at the platform’s handles: where any part of them is not as it is known, there are none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Binding, bindingOf, findNative } from '../src/socket/native.ts';

const skip = process.platform !== 'linux';

/** The platform, with another value in one place. */
const changed =
  (module: string, part: string, value: unknown): Binding =>
  (name) => {
    const binding = bindingOf(name);
    // Of some only the prototype chain knows.
    return name === module ? Object.assign(Object.create(binding), { [part]: value }) : binding;
  };

const wholeOf = (module: string, part: string): object => {
  const value = bindingOf(module)[part];
  assert.ok(typeof value === 'function');
  return value;
};

/** A class of the platform whose things lack a method. */
const lacking = (module: string, part: string, method: string): unknown => {
  const Whole = wholeOf(module, part);
  const Lacking = new Proxy(Whole, {
    construct: (target, args) => {
      const made: object = Reflect.construct(target as new () => object, args);
      Object.defineProperty(made, method, { value: undefined });
      return made;
    },
    get: (target, key) =>
      key === 'prototype'
        ? Object.create(Reflect.get(target, key), { [method]: { value: undefined } })
        : Reflect.get(target, key),
  });
  return Lacking;
};

const PARTS: readonly (readonly [module: string, part: string])[] = [
  ['tcp_wrap', 'TCP'],
  ['tcp_wrap', 'TCPConnectWrap'],
  ['tcp_wrap', 'constants'],
  ['stream_wrap', 'WriteWrap'],
  ['stream_wrap', 'ShutdownWrap'],
  ['stream_wrap', 'streamBaseState'],
  ['stream_wrap', 'kReadBytesOrError'],
  ['stream_wrap', 'kLastWriteWasAsync'],
  ['uv', 'UV_EOF'],
  ['tls_wrap', 'wrap'],
  ['tls_wrap', 'TLSWrap'],
];

const TCP_METHODS =
  'useUserBuffer readStart readStop writeBuffer shutdown close reset connect connect6 getpeername getsockname setNoDelay setKeepAlive';

const TLS_METHODS =
  'useUserBuffer readStart readStop writeBuffer shutdown setVerifyMode setALPNProtocols setServername setSession enableCertCb certCbDone enableSessionCallbacks start receive getServername getALPNNegotiatedProtocol getProtocol isSessionReused verifyError getPeerCertificate destroySSL';

test('a platform that is as it is known has handles', { skip }, () => {
  assert.ok(findNative('linux'));
  assert.ok(findNative('linux', changed('tcp_wrap', 'something else', undefined)));
});

for (const [module, part] of PARTS)
  for (const value of [undefined, 'another'])
    test(`none where ${part} of ${module} is ${value}`, { skip }, () => {
      assert.equal(findNative('linux', changed(module, part, value)), undefined);
    });

for (const [module, part, methods] of [
  ['tcp_wrap', 'TCP', TCP_METHODS],
  ['tls_wrap', 'TLSWrap', TLS_METHODS],
] as const)
  for (const method of methods.split(' '))
    test(`none where a ${part} has no ${method}`, { skip }, () => {
      const whole = changed(module, part, lacking(module, part, 'nothing known'));
      assert.ok(findNative('linux', whole));
      const binding = changed(module, part, lacking(module, part, method));
      assert.equal(findNative('linux', binding), undefined);
    });

test('none where there is no module', { skip }, () => {
  for (const module of ['tcp_wrap', 'stream_wrap', 'tls_wrap', 'uv'])
    assert.equal(
      findNative('linux', (name) => {
        if (name === module) throw new Error(`no ${name}`);
        return bindingOf(name);
      }),
      undefined,
    );
});
