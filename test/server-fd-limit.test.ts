/** How many descriptors connections may hold, by what the system says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionDescriptors, connectionShare } from '../src/server/fd-limit.ts';

const limits = (soft: string): string =>
  [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             7800                 7800                 processes ',
    `Max open files            ${soft.padEnd(20)} 1048576              files     `,
    'Max locked memory         8388608              8388608              bytes     ',
  ].join('\n');

test('connections get the soft limit less a reserve', () => {
  assert.equal(connectionShare(limits('1024')), 960);
});

test('a limit below the reserve still lets one connection through', () => {
  assert.equal(connectionShare(limits('20')), 2);
});

test('no limit, or none that is told, is infinite', () => {
  assert.equal(connectionShare(limits('unlimited')), Number.POSITIVE_INFINITY);
  assert.equal(connectionShare(''), Number.POSITIVE_INFINITY);
});

test('the limit of this process can be had, or is infinite', () => {
  assert.ok(connectionDescriptors() >= 2);
});
