import { describe, expect, test } from 'vitest'
import { generateSigningKey } from '../src/auth/access-tokens.ts'
import { readConfig, readDatabaseConfig, readLambdaConfig, readWorkerConfig } from '../src/config.ts'

describe('readConfig', () => {
  test('needs nothing', () => {
    expect(readConfig({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      DATA_DIR: '.fieldstation',
      ALLOW_REGISTRATION: true,
      LOCAL_WORKERS: 1,
    })
  })

  test('takes an empty variable for none', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '' })).toMatchObject({ PORT: 3000 })
  })

  test('reports everything that is wrong at once', () => {
    const read = () =>
      readConfig({ PORT: 'http', DATABASE_URL: 'nonsense', ALLOW_REGISTRATION: 'perhaps', LOG_LEVEL: 'loud' })

    expect(read).toThrow(/PORT[\s\S]*DATABASE_URL[\s\S]*ALLOW_REGISTRATION[\s\S]*LOG_LEVEL/)
  })

  test.each([
    [{ ADMIN_EMAIL: 'ana@reef.example' }, 'go together'],
    [{ DATABASE_DIRECT_URL: 'postgres://127.0.0.1/x' }, 'needs DATABASE_URL'],
    [{ S3_ENDPOINT: 'http://127.0.0.1:9000' }, 'needs S3_BUCKET'],
    [{ NODE_ENV: 'production' }, 'DATABASE_URL is missing'],
    [{ NODE_ENV: 'production', DATABASE_URL: 'postgres://127.0.0.1/x' }, 'JWT_PRIVATE_KEY is missing'],
    [{ SMTP_URL: 'https://mail.example' }, 'SMTP_URL is wrong'],
    [{ MAIL_FROM: 'ana@reef.example, ben@reef.example' }, 'one mailbox'],
    [{ MAIL_FROM: 'Reef: ana@reef.example;' }, 'one mailbox'],
    [{ MAIL_FROM: 'Fieldstation' }, 'one mailbox'],
    [
      { NODE_ENV: 'production', EMBEDDED_DATABASE: 'true', SMTP_URL: 'smtps://ana:secret@mail.example' },
      'MAIL_FROM is missing',
    ],
    [{ JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----' }, 'no RSA private key'],
  ])('refuses %j', (environment, reason) => {
    expect(() => readConfig(environment)).toThrow(reason)
  })

  test('brings the database along in production when asked by name', () => {
    expect(readConfig({ NODE_ENV: 'production', EMBEDDED_DATABASE: 'true' })).toMatchObject({ EMBEDDED_DATABASE: true })
  })

  test('reads whom mail is from', () => {
    expect(readConfig({ MAIL_FROM: 'Mer og hav, Tromsø <hav@reef.example>' })).toMatchObject({
      MAIL_FROM: { name: 'Mer og hav, Tromsø', address: 'hav@reef.example' },
    })
    expect(readConfig({ MAIL_FROM: 'hav@reef.example' }).MAIL_FROM).toEqual({ name: '', address: 'hav@reef.example' })
  })

  test('does not repeat a mail server’s password', () => {
    expect(() => readConfig({ SMTP_URL: 'imap://ana:sesame@mail.example', PORT: 'x' })).toThrow(/^(?!.*sesame)/s)
  })

  test('takes a public URL with a slash at its end for one without', () => {
    expect(readConfig({ PUBLIC_URL: 'https://api.reef.example/fieldstation/' })).toMatchObject({
      PUBLIC_URL: 'https://api.reef.example/fieldstation',
    })
  })
})

describe('readLambdaConfig', () => {
  const needed = {
    DATABASE_URL: 'postgres://127.0.0.1/x',
    S3_BUCKET: 'field-files',
    JWT_PRIVATE_KEY: generateSigningKey(),
    PUBLIC_URL: 'https://api.reef.example/',
  }

  test('needs what the service would bring along elsewhere, and tells all of it at once', () => {
    expect(() => readLambdaConfig({ LOG_LEVEL: 'loud' })).toThrow(
      /PUBLIC_URL is missing[\s\S]*DATABASE_URL is missing[\s\S]*S3_BUCKET is missing[\s\S]*JWT_PRIVATE_KEY is missing[\s\S]*LOG_LEVEL is wrong/,
    )
  })

  test('expects a pooler, and opens few connections', () => {
    expect(readLambdaConfig(needed)).toMatchObject({
      PUBLIC_URL: 'https://api.reef.example',
      DATABASE_POOL_SIZE: 2,
      DATABASE_POOLED: true,
    })
    expect(readLambdaConfig({ ...needed, DATABASE_POOLED: 'false' })).toMatchObject({ DATABASE_POOLED: false })
    expect(() => readLambdaConfig({ ...needed, DATABASE_POOL_SIZE: '50' })).toThrow('DATABASE_POOL_SIZE is wrong')
  })

  test('needs a sender of mail in production, as the service does', () => {
    const mail = { NODE_ENV: 'production', SMTP_URL: 'smtps://ana:secret@mail.example' }

    expect(() => readLambdaConfig({ ...needed, ...mail })).toThrow('MAIL_FROM is missing')
    expect(readLambdaConfig({ ...needed, ...mail, MAIL_FROM: 'hav@reef.example' })).toMatchObject(mail)
  })
})

describe('readDatabaseConfig', () => {
  test('needs a database, and no key in production', () => {
    const environment = { NODE_ENV: 'production', DATABASE_URL: 'postgres://127.0.0.1/x' }

    expect(readDatabaseConfig(environment)).toEqual({ DATABASE_URL: 'postgres://127.0.0.1/x' })
    expect(() => readDatabaseConfig({})).toThrow('DATABASE_URL is missing')
  })
})

test('a signing key may have its line breaks written out', () => {
  const pem = generateSigningKey().replaceAll('\n', '\\n')

  expect(readConfig({ JWT_PRIVATE_KEY: pem }).JWT_PRIVATE_KEY).toBe(pem)
})

describe('readWorkerConfig', () => {
  test('needs a URL and a key', () => {
    expect(() => readWorkerConfig({})).toThrow(/FIELDSTATION_URL is missing[\s\S]*FIELDSTATION_API_KEY is missing/)
  })
})
