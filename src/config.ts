import { createPrivateKey, createPublicKey } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import parseAddresses from 'nodemailer/lib/addressparser'
import { trustedIssuersVariable } from './trusted-issuer-config.ts'

const flag = z.enum(['true', 'false', '1', '0', 'yes', 'no']).transform((value) => ['true', '1', 'yes'].includes(value))
const whole = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum)
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
)
const address = z.string().refine((value) => URL.canParse(value), 'is not a URL')

const protocolOf = (value: string) => URL.parse(value)?.protocol ?? ''

/** One mailbox, as in `Fieldstation <no-reply@reef.example>`. */
const mailbox = z.string().transform((value, context) => {
  const [only, ...others] = parseAddresses(value)
  const { success, data } = z.email().safeParse(only?.address)
  if (success && others.length === 0) return { name: only!.name, address: data }
  context.addIssue('is not one mailbox, as in Fieldstation <no-reply@reef.example>')
  return z.NEVER
})

/** Whether the first key, at least, can be read. Variables often carry PEM with its line breaks written as `\n`. */
function holdsRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem.replaceAll('\\n', '\n')).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}

/** Whether it says so itself, too: Node would take a private key for the public one that is in it. */
function holdsRsaPublicKey(pem: string): boolean {
  try {
    const text = pem.replaceAll('\\n', '\n')
    return text.includes('BEGIN PUBLIC KEY') && createPublicKey(text).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}

const serviceVariables = z.object({
  NODE_ENV: z.string().default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: whole(0, 65_535).default(3000),
  // Paths are put behind it.
  PUBLIC_URL: address.transform((value) => value.replace(/\/+$/, '')).optional(),
  DATA_DIR: z.string().min(1).default('.fieldstation'),
  DATABASE_URL: address.optional(),
  DATABASE_DIRECT_URL: address.optional(),
  DATABASE_POOL_SIZE: whole(1, 500).default(10),
  EMBEDDED_DATABASE: flag.default(false),
  S3_BUCKET: z.string().min(1).optional(),
  S3_ENDPOINT: address.optional(),
  S3_PREFIX: z.string().default(''),
  AWS_REGION: z.string().min(1).default('us-east-1'),
  JWT_PRIVATE_KEY: z.string().refine(holdsRsaKey, 'no RSA private key in PEM').optional(),
  AUTH_TRUSTED_ISSUERS: trustedIssuersVariable.default([]),
  ALLOW_REGISTRATION: flag.default(true),
  ADMIN_EMAIL: z.email().optional(),
  ADMIN_PASSWORD: z.string().min(12).max(200).optional(),
  SMTP_URL: z
    .string()
    .refine((value) => /^smtps?:$/.test(protocolOf(value)), 'is not an smtp:// or smtps:// URL')
    .optional(),
  MAIL_FROM: mailbox.optional(),
  PASSWORD_RESET_URL: address.optional(),
  CORS_ORIGINS: list.default([]),
  TRUSTED_PROXIES: whole(0, 10).default(0),
  BODY_LIMIT_BYTES: whole(1024, 100 * 1024 * 1024).default(5 * 1024 * 1024),
  IMAGE_LIMIT_BYTES: whole(1024, 5 * 1024 ** 3).default(256 * 1024 * 1024),
  MAX_ACTIVE_JOBS: whole(1, 1_000_000).default(1000),
  JOB_RETENTION_DAYS: whole(1, 36_500).default(90),
  LOCAL_WORKERS: whole(0, 16).default(1),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
})

const workerVariables = z.object({
  FIELDSTATION_URL: address,
  FIELDSTATION_API_KEY: z.string().min(1),
  WORKER_NAME: z.string().min(1).max(200).optional(),
  WORKER_CONCURRENCY: whole(1, 64).default(1),
  WORKER_JOB_TYPES: list.optional(),
  WORKER_DRAIN_SECONDS: whole(0, 3600).default(20),
  WORKER_IDLE_SECONDS: whole(1, 86_400).optional(),
  LOG_LEVEL: serviceVariables.shape.LOG_LEVEL,
})

const databaseVariables = serviceVariables
  .pick({ DATABASE_URL: true, DATABASE_DIRECT_URL: true })
  .required({ DATABASE_URL: true })

/** As many instances run as there are requests: few connections each, which most likely lead to a pooler. */
const lambdaVariables = serviceVariables
  .extend({ DATABASE_POOL_SIZE: whole(1, 10).default(2), DATABASE_POOLED: flag.default(true) })
  .required({ DATABASE_URL: true, S3_BUCKET: true, JWT_PRIVATE_KEY: true, PUBLIC_URL: true })

const authorizerVariables = z.object({
  JWKS_URL: address.optional(),
  AUTH_TRUSTED_ISSUERS: trustedIssuersVariable.default([]),
  JWT_PUBLIC_KEY: z.string().refine(holdsRsaPublicKey, 'no RSA public key in PEM').optional(),
})

export type Config = z.output<typeof serviceVariables>
export type LambdaConfig = z.output<typeof lambdaVariables>
export type WorkerConfig = z.output<typeof workerVariables>
export type AuthorizerConfig = z.output<typeof authorizerVariables>
export type Environment = Record<string, string | undefined>

/** What the service runs with. Like the other readers here, and nobody else, it reads the environment; it reports everything wrong at once. */
export function readConfig(environment: Environment): Config {
  const config = read(serviceVariables, environment)
  const wrong: string[] = []
  if (Boolean(config.ADMIN_EMAIL) !== Boolean(config.ADMIN_PASSWORD))
    wrong.push('ADMIN_EMAIL and ADMIN_PASSWORD go together')
  if (config.DATABASE_DIRECT_URL && !config.DATABASE_URL) wrong.push('DATABASE_DIRECT_URL needs DATABASE_URL')
  if (config.S3_ENDPOINT && !config.S3_BUCKET) wrong.push('S3_ENDPOINT needs S3_BUCKET')
  if (config.NODE_ENV === 'production' && !config.DATABASE_URL && !config.EMBEDDED_DATABASE)
    wrong.push(
      'DATABASE_URL is missing (in production the embedded database must be asked for: EMBEDDED_DATABASE=true)',
    )
  // Each process would make a key of its own, and refuse the tokens of the others.
  if (config.NODE_ENV === 'production' && config.DATABASE_URL && !config.JWT_PRIVATE_KEY)
    wrong.push('JWT_PRIVATE_KEY is missing (in production all processes on one DATABASE_URL share it)')
  return refuse([...wrong, ...senderFaults(config)], config)
}

/** What the service runs with as a Lambda function, where it brings nothing along. */
export function readLambdaConfig(environment: Environment): LambdaConfig {
  const config = read(lambdaVariables, environment)
  return refuse(senderFaults(config), config)
}

const senderFaults = ({ NODE_ENV, SMTP_URL, MAIL_FROM }: Pick<Config, 'NODE_ENV' | 'SMTP_URL' | 'MAIL_FROM'>) =>
  NODE_ENV === 'production' && SMTP_URL && !MAIL_FROM
    ? ['MAIL_FROM is missing (in production mail servers refuse a sender of ours)']
    : []

/** Where the Lambda authorizer has the keys from that verify our tokens. */
export function readAuthorizerConfig(environment: Environment): AuthorizerConfig {
  const config = read(authorizerVariables, environment)
  const given = [config.JWKS_URL, config.JWT_PUBLIC_KEY].filter(Boolean).length
  return refuse(given === 1 ? [] : ['one of JWKS_URL and JWT_PUBLIC_KEY is needed, and not both'], config)
}

/** What migrating a database of one's own needs: no more than where it is. */
export const readDatabaseConfig = (environment: Environment) => read(databaseVariables, environment)

/** What a worker that runs on its own needs: where the service is, and a key with the scope `jobs:work`. */
export const readWorkerConfig = (environment: Environment): WorkerConfig => read(workerVariables, environment)

function read<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.output<Schema> {
  // An empty variable, as compose files and shells leave them, means the same as none.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const result = schema.safeParse(given)
  const issues = result.error?.issues ?? []
  return refuse(
    issues.map(
      ({ path, message }) =>
        `${path.join('.')} ${given[String(path[0])] === undefined ? 'is missing' : `is wrong: ${message}`}`,
    ),
    result.data as z.output<Schema>,
  )
}

/** The message names everything that is wrong. */
export class BadConfiguration extends Error {
  override name = 'BadConfiguration'
}

function refuse<T>(wrong: string[], config: T): T {
  if (wrong.length > 0)
    throw new BadConfiguration(`Bad configuration:\n${wrong.map((line) => `  - ${line}`).join('\n')}`)
  return config
}
