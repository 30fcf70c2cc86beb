import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { originOf } from '../src/http/origin.ts'

/** Where a request seems to come from, with so many proxies that we trust. */
async function addressOf(trustedProxies: number, remoteAddress: string | undefined, forwardedFor?: string) {
  const app = new Hono().get('/', (c) => c.json(originOf(c, trustedProxies)))
  const headers: Record<string, string> = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }
  const response = await app.request('/', { headers }, remoteAddress === undefined ? {} : { remoteAddress })
  return ((await response.json()) as { address?: string }).address
}

describe('the address of a client', () => {
  test.each<[string, number, string | undefined, string | undefined, string | undefined]>([
    ['is that of the connection', 0, '203.0.113.7', undefined, '203.0.113.7'],
    ['is what nobody but a proxy of ours says', 0, '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['is whom our proxy was asked by', 1, '10.0.0.1', '198.51.100.9, 203.0.113.7', '203.0.113.7'],
    [
      'is whom the first of two proxies was asked by',
      2,
      '10.0.0.1',
      '198.51.100.9, 203.0.113.7, 10.0.0.2',
      '203.0.113.7',
    ],
    ['is that of the connection where a proxy says nothing', 1, '10.0.0.1', undefined, '10.0.0.1'],
    ['has no port', 1, '10.0.0.1', '203.0.113.7:5000', '203.0.113.7'],
    ['has no port in IPv6', 1, '10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['is the same in each way to write it', 0, '::ffff:203.0.113.7', undefined, '203.0.113.7'],
    ['is the same in long', 0, '0:0:0:0:0:FFFF:203.0.113.7', undefined, '203.0.113.7'],
    ['stays one of IPv6', 0, '2001:db8::5', undefined, '2001:db8::5'],
    ['may be unknown', 0, undefined, undefined, undefined],
  ])('%s', async (_, trusted, remote, forwarded, expected) => {
    expect(await addressOf(trusted, remote, forwarded)).toBe(expected)
  })
})
