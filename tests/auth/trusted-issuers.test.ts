import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { trustedIssuers } from '../../src/auth/trusted-issuers.ts'
import { readConfig } from '../../src/config.ts'
import { startTestService } from '../support/service.ts'

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const [cognitoKey, strangersKey] = [rsa(), rsa()]
const curveKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const secret = 'a-secret-that-labcas-and-we-share-alone'

/** Publishes the keys of the issuer, and counts who asks. */
async function publishKeys() {
  const jwk = async (key: KeyObject, kid: string) => ({ ...(await exportJWK(key)), kid })
  const keys = [await jwk(cognitoKey.publicKey, 'cognito-1'), await jwk(curveKey.publicKey, 'curve-1')]
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys })),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
}

const cognito = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_reef'
const issuers = [
  {
    issuer: cognito,
    audience: 'reef-console',
    jwksUrl: await publishKeys(),
    algorithms: ['RS256'],
    tokenUse: 'id',
    groupsClaim: 'cognito:groups',
    roles: { stewards: 'ADMIN', cluster: 'WORKER' },
    createsAccounts: true,
  },
  {
    issuer: 'LabCAS',
    audience: 'LabCAS',
    secret,
    isDistinguishedName: true,
    emailDomain: 'labcas.example',
    createsAccounts: true,
  },
  { issuer: 'https://closed.example', audience: 'us', secret },
  { issuer: 'https://away.example', audience: 'us', jwksUrl: 'http://127.0.0.1:1/jwks.json', createsAccounts: true },
]
const { AUTH_TRUSTED_ISSUERS } = readConfig({ AUTH_TRUSTED_ISSUERS: JSON.stringify(issuers) })
const service = await startTestService({ trustedIssuers: AUTH_TRUSTED_ISSUERS })

const ana = {
  sub: 'b7e7b2c4-cognito-ana',
  email: 'ana@cognito.example',
  email_verified: true,
  name: 'Ana Torres',
  token_use: 'id',
}

interface Making {
  issuer?: string
  audience?: string
  alg?: string
  kid?: string
  key?: KeyObject | Uint8Array
  expires?: string | undefined
  /** Seconds since 1970; none if it is `undefined`. */
  issuedAt?: number | undefined
}

/** A token as Cognito makes it, but for what the test is about. */
function cognitoToken(claims: JWTPayload = ana, making: Making = {}): Promise<string> {
  const {
    issuer = cognito,
    audience = 'reef-console',
    alg = 'RS256',
    kid = 'cognito-1',
    key = cognitoKey.privateKey,
  } = making
  const token = new SignJWT(claims).setProtectedHeader({ alg, kid }).setIssuer(issuer).setAudience(audience)
  const expires = 'expires' in making ? making.expires : '1h'
  const issuedAt = 'issuedAt' in making ? making.issuedAt : Math.floor(Date.now() / 1000)
  if (issuedAt !== undefined) token.setIssuedAt(issuedAt)
  return (expires ? token.setExpirationTime(expires) : token).sign(key)
}

function labcasToken(
  claims: JWTPayload,
  key = new TextEncoder().encode(secret),
  issuer = 'LabCAS',
  audience = 'LabCAS',
) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('1h')
    .sign(key)
}

const client = (token: string) => service.client({ token })
const profile = (token: string) => client(token).auth.profile()
const isRefused = (token: string) =>
  expect(profile(token)).rejects.toMatchObject({ status: 401, code: 'unauthenticated' })

describe('a token of a trusted issuer', () => {
  test('opens an account, made on the first visit and found on the next', async () => {
    const first = await profile(await cognitoToken())
    const again = await profile(await cognitoToken({ ...ana, email: 'moved@cognito.example' }))

    expect(first.user).toMatchObject({ email: 'ana@cognito.example', name: 'Ana Torres', roles: ['USER'] })
    expect(again.user.id).toBe(first.user.id)
    expect(again.user.email).toBe('ana@cognito.example')
  })

  test('carries roles by groups, which end with the membership', async () => {
    const steward = { ...ana, sub: 'steward', email: 'steward@cognito.example' }
    const token = await cognitoToken({ ...steward, 'cognito:groups': ['stewards', 'strangers', 'toString'] })

    expect((await profile(token)).user.roles.sort()).toEqual(['ADMIN', 'USER'])
    await expect(client(token).users.list()).resolves.toBeDefined()
    const left = await cognitoToken({ ...steward, 'cognito:groups': ['cluster'] })
    expect((await profile(left)).user.roles, 'the last admin stays one').toContain('ADMIN')

    await service.person('ADMIN')
    const gone = await cognitoToken({ ...steward, 'cognito:groups': 'cluster guests' })
    await expect(client(gone).users.list()).rejects.toMatchObject({ code: 'forbidden' })
    expect((await profile(gone)).user.roles.sort()).toEqual(['USER', 'WORKER'])
  })

  test('gives nothing back that a later one has taken away', async () => {
    const member = { ...ana, sub: 'member', email: 'member@cognito.example' }
    const at = (issuedAt: number, groups: string[]) =>
      cognitoToken({ ...member, 'cognito:groups': groups }, { issuedAt })
    const now = Math.floor(Date.now() / 1000)
    const [before, after] = [await at(now - 60, ['cluster', 'stewards']), await at(now - 30, ['cluster'])]
    await service.person('ADMIN')
    expect((await profile(await at(now - 90, ['stewards']))).user.roles).toEqual(['USER', 'ADMIN'])

    expect((await profile(after)).user.roles).toEqual(['USER', 'WORKER'])

    await expect(client(before).worker.poll()).resolves.toEqual([])
    await expect(client(before).users.list()).rejects.toMatchObject({ code: 'forbidden' })
    expect((await profile(before)).user.roles).toEqual(['USER', 'WORKER'])
    const changes = await service.sql`
      select from audit_events e
      join users u on u.id = e.user_id
      where u.email = ${member.email} and action = 'roles_changed'
    `
    expect(changes).toHaveLength(1)
  })

  test.each([
    ['a name with a line break', { name: 'Ana\nTorres' }],
    ['a name beyond all bounds', { name: 'a'.repeat(300) }],
    ['a name that no text can be', { name: 'a\u0000b' }],
  ])('opens an account without %s', async (_, odd) => {
    const sub = crypto.randomUUID()

    const { user } = await profile(await cognitoToken({ ...ana, sub, email: `${sub}@cognito.example`, ...odd }))

    expect(user).not.toHaveProperty('name')
  })

  test('by HS256 is good with the secret that is pinned to its issuer, and names people by their DN', async () => {
    const { user } = await profile(await labcasToken({ sub: 'uid=ana.torres,ou=public,o=MCL' }))

    expect(user.email).toBe('ana.torres@labcas.example')
  })

  test.each([
    ['uid=ana,ou=public,o=MCL', 'ana'],
    ['UID = Ana Torres ,ou=public', 'Ana Torres'],
    ['cn=Torres\\, Ana,ou=public', 'Torres, Ana'],
    ['uid=x\\2Cy,ou=public', 'x,y'],
    ['uid=M\\c3\\bcller', 'Müller'],
    ['uid=ana+ou=public', undefined],
    ['uid=a\\00b', undefined],
    ['uid=ana', 'ana'],
    ['ana', undefined],
    ['uid=,ou=public', undefined],
    ['', undefined],
  ])('names by the DN %j the subject %j', async (sub, subject) => {
    const visitor = await trustedIssuers(AUTH_TRUSTED_ISSUERS).verify(await labcasToken({ sub }))

    expect(visitor?.subject).toBe(subject)
  })

  test('starts jobs, and they are theirs alone', async () => {
    const mine = client(await cognitoToken())
    const others = client(await labcasToken({ sub: 'uid=ben,ou=public' }))
    const { jobId } = await mine.jobs.create({ type: 'TEST', inputPayload: { id: 7 } })

    await expect(mine.jobs.get(jobId)).resolves.toMatchObject({ id: jobId })
    await expect(others.jobs.get(jobId)).rejects.toMatchObject({ code: 'job_not_found' })
  })

  test('is no way into an account that has its email', async () => {
    const { email } = await service.person('ADMIN')

    await expect(profile(await cognitoToken({ ...ana, sub: 'impostor', email }))).rejects.toMatchObject({
      status: 403,
      code: 'identity_not_linked',
    })
  })

  test('is refused once the account is deleted, and makes no new one', async () => {
    const token = () => cognitoToken({ ...ana, sub: 'leaver', email: 'leaver@cognito.example' })
    const { user } = await profile(await token())
    const admin = await service.person('ADMIN')
    await admin.client.users.delete(user.id)

    await isRefused(await token())
  })

  test('makes no account where its issuer may not, or where it vouches for no email', async () => {
    const closed = await labcasToken({ sub: 'x', email: 'x@closed.example' }, undefined, 'https://closed.example', 'us')
    const unverified = [false, 'false', 'False', 0].map((email_verified) =>
      cognitoToken({ ...ana, sub: 'unverified', email: 'u@cognito.example', email_verified }),
    )

    for (const token of [closed, ...(await Promise.all(unverified))])
      await expect(profile(token)).rejects.toMatchObject({ status: 403, code: 'identity_not_linked' })
  })

  test('is 503 while the keys of its issuer cannot be had', async () => {
    const token = await cognitoToken(ana, { issuer: 'https://away.example', audience: 'us' })

    await expect(profile(token)).rejects.toMatchObject({ status: 503, code: 'service_unavailable' })
  })
})

describe('RFC 8725: a token is refused', () => {
  test.each<[string, JWTPayload, Making]>([
    ['that never expires', ana, { expires: undefined }],
    ['that has expired', ana, { expires: '-1s' }],
    ['that is not good yet', { ...ana, nbf: 4_000_000_000 }, {}],
    [
      'of an issuer that we do not know',
      ana,
      { issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_other' },
    ],
    ['of an issuer that begins like one that we know', ana, { issuer: `${cognito}/` }],
    ['for somebody else', ana, { audience: 'another-console' }],
    ['of another kind', { ...ana, token_use: 'access' }, {}],
    ['without a subject', { ...ana, sub: '' }, {}],
    ['with a subject that no text can be', { ...ana, sub: 's\u0000' }, {}],
    ['with a subject beyond all bounds', { ...ana, sub: 's'.repeat(5000) }, {}],
    ['that does not say when its groups were so', ana, { issuedAt: undefined }],
    ["signed with a stranger's key", ana, { key: strangersKey.privateKey }],
    [
      'of an algorithm that its issuer does not use, though by a key that it publishes',
      ana,
      { alg: 'ES256', kid: 'curve-1', key: curveKey.privateKey },
    ],
    ['of another algorithm than the one named, by the same key', ana, { alg: 'PS256' }],
    ['that names a key of another type', ana, { kid: 'curve-1' }],
    ['that names a key that is not there', ana, { kid: 'cognito-2' }],
  ])('%s', async (_, claims, making) => {
    await isRefused(await cognitoToken(claims, making))
  })

  test('with `alg: none`', async () => {
    const bare = new UnsecuredJWT(ana).setIssuer(cognito).setAudience('reef-console').setExpirationTime('1h').encode()

    await isRefused(bare)
    await isRefused(`${bare}AAAA`)
  })

  test('by HS256 with the public key for a secret', async () => {
    const pem = cognitoKey.publicKey.export({ type: 'spki', format: 'pem' }).toString()

    for (const key of [pem, pem.trim()])
      await isRefused(await cognitoToken(ana, { alg: 'HS256', key: new TextEncoder().encode(key) }))
  })

  test("by HS256 with another issuer's secret", async () => {
    await isRefused(await labcasToken({ ...ana }, undefined, cognito, 'reef-console'))
  })

  test('that brings a key of its own', async () => {
    const jwk = await exportJWK(strangersKey.publicKey)
    for (const header of [{ jwk }, { jku: 'http://127.0.0.1:1/keys' }, { x5u: 'http://127.0.0.1:1/cert' }])
      await isRefused(
        await new SignJWT(ana)
          .setProtectedHeader({ alg: 'RS256', kid: 'cognito-1', ...header })
          .setIssuer(cognito)
          .setAudience('reef-console')
          .setExpirationTime('1h')
          .sign(strangersKey.privateKey),
      )
  })

  test('that demands an extension which nobody here knows', async () => {
    const token = await new SignJWT(ana)
      .setProtectedHeader({ alg: 'RS256', kid: 'cognito-1', crit: ['reef'], reef: true })
      .setIssuer(cognito)
      .setAudience('reef-console')
      .setExpirationTime('1h')
      .sign(cognitoKey.privateKey, { crit: { reef: true } })

    await isRefused(token)
  })

  test('whose content was changed', async () => {
    const [header, , signature] = (await cognitoToken()).split('.')
    const payload = Buffer.from(JSON.stringify({ ...ana, iss: cognito, aud: 'reef-console', exp: 4_000_000_000 }))

    await isRefused([header, payload.toString('base64url'), signature].join('.'))
  })

  test('that says it is ours', async () => {
    await isRefused(await cognitoToken({ ...ana, sid: 'x' }, { issuer: 'fieldstation', audience: 'fieldstation' }))
  })
})

describe('AUTH_TRUSTED_ISSUERS', () => {
  const read = (issuer: object) => () => readConfig({ AUTH_TRUSTED_ISSUERS: JSON.stringify([issuer]) })
  const sound = { issuer: 'https://a.example', audience: 'us', jwksUrl: 'https://a.example/jwks.json' }

  test('takes a sound one', () => {
    expect(read(sound)().AUTH_TRUSTED_ISSUERS[0]).toMatchObject({ audience: ['us'], createsAccounts: false })
  })

  test.each<[string, object, RegExp]>([
    ['keys over plain HTTP', { ...sound, jwksUrl: 'http://a.example/jwks.json' }, /must be https/],
    ['neither keys nor secret', { ...sound, jwksUrl: undefined }, /either jwksUrl or secret/],
    ['both', { ...sound, secret }, /either jwksUrl or secret/],
    ['a short secret', { ...sound, jwksUrl: undefined, secret: 'short' }, />=32/],
    ['no audience', { ...sound, audience: [] }, /audience/],
    ['an HMAC algorithm for public keys', { ...sound, algorithms: ['HS256'] }, /algorithms/],
    ['our own name', { ...sound, issuer: 'fieldstation' }, /our own/],
    ['a member that there is not', { ...sound, audiance: 'us' }, /audiance/],
    ['an unknown role', { ...sound, roles: { all: 'KING' } }, /roles/],
  ])('refuses %s', (_, issuer, message) => {
    expect(read(issuer)).toThrow(message)
  })

  test('refuses an issuer that is named twice, and never shows a secret', () => {
    const twice = JSON.stringify([sound, { ...sound, jwksUrl: undefined, secret }])

    expect(() => readConfig({ AUTH_TRUSTED_ISSUERS: twice })).toThrow(/names an issuer twice/)
    expect(() => readConfig({ AUTH_TRUSTED_ISSUERS: twice })).not.toThrow(secret)
  })
})
