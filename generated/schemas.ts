// Generated from openapi/ by `npm run generate`. Do not edit.

import { z } from '@hono/zod-openapi'

import { text, uniqueItems } from '../src/formats.ts'

export const IdSchema = text({ format: 'uuid' })
  .openapi({
    description: 'A UUID (version 7, so that ids sort by time of creation).',
    example: '019a8f00-0003-7000-8000-000000000003',
  })
  .openapi('Id')

export const ScopeSchema = z
  .enum([
    'jobs:read',
    'jobs:write',
    'jobs:work',
    'polygons:read',
    'polygons:write',
    'notes:read',
    'notes:write',
    'images:read',
    'images:write',
    'regions:read',
    'regions:write',
    'data:read',
    'email:send',
  ])
  .openapi({ description: 'What an API key may be used for.', example: 'jobs:work' })
  .openapi('Scope')

export const ApiKeySchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        name: z.string(),
        scopes: z.array(ScopeSchema),
        prefix: z.string().openapi({ description: 'The first characters of the key, to tell keys apart.' }),
        createdAt: text({ format: 'date-time' }),
        expiresAt: text({ format: 'date-time' }).optional(),
        lastUsedAt: text({ format: 'date-time' }).openapi({ description: 'To the minute.' }).optional(),
      })
      .openapi({
        description: 'What can be told of an API key without its secret.',
        example: {
          id: '019a8f00-0006-7000-8000-000000000006',
          name: 'Cluster worker',
          scopes: ['jobs:work'],
          prefix: 'fs_4kQ9',
          createdAt: '2026-03-02T21:20:00.000Z',
        },
      }),
  )
  .openapi('ApiKey')

export const ApiKeyCreateSchema = z
  .lazy(() =>
    z
      .strictObject({
        name: text({ minLength: 1, maxLength: 100 }).openapi({ description: 'What the key is for.' }),
        scopes: z
          .array(ScopeSchema)
          .min(1)
          .max(20)
          .refine(uniqueItems, 'Items must differ from each other')
          .openapi({ uniqueItems: true }),
        expiresAt: text({ format: 'date-time' })
          .openapi({ description: 'When the key dies. Without it the key lives until it is revoked.' })
          .optional(),
      })
      .openapi({
        description: 'What an API key is to be called, and what it may be used for.',
        example: { name: 'Cluster worker', scopes: ['jobs:work'] },
      }),
  )
  .openapi('ApiKeyCreate')

export const ApiKeyCreatedSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        name: z.string(),
        scopes: z.array(ScopeSchema),
        prefix: z.string(),
        createdAt: text({ format: 'date-time' }),
        expiresAt: text({ format: 'date-time' }).optional(),
        key: z.string().openapi({ description: 'The key itself. Shown this once; we keep only a hash.' }),
      })
      .openapi({
        description: 'A new API key. `key` is shown this once.',
        example: {
          id: '019a8f00-0006-7000-8000-000000000006',
          name: 'Cluster worker',
          scopes: ['jobs:work'],
          prefix: 'fs_4kQ9',
          createdAt: '2026-03-02T21:20:00.000Z',
          key: 'fs_4kQ9mB0Zc1pXw7Tt2hVfYl8sUe3nRj6aDgKi5oCqHLM',
        },
      }),
  )
  .openapi('ApiKeyCreated')

export const CursorSchema = text({ minLength: 1, maxLength: 500 })
  .openapi({
    description: 'Opaque. Pass it back as it came.',
    example: 'MDE5YThmMDAtMDAwMy03MDAwLTgwMDAtMDAwMDAwMDAwMDAz',
  })
  .openapi('Cursor')

export const ApiKeyPageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(ApiKeySchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of API keys, newest first.' }),
  )
  .openapi('ApiKeyPage')

export const PositionSchema = z
  .lazy(() =>
    z
      .array(z.number())
      .min(2)
      .max(3)
      .openapi({
        description: 'Longitude, latitude and perhaps altitude (RFC 7946, section 3.1.1).',
        example: [145.442, -14.668],
      }),
  )
  .openapi('Position')

export const LinearRingSchema = z
  .lazy(() =>
    z
      .array(PositionSchema)
      .min(4)
      .max(100000)
      .openapi({
        description: 'At least four positions, the last equal to the first.',
        example: [
          [145.442, -14.668],
          [145.461, -14.668],
          [145.461, -14.651],
          [145.442, -14.651],
          [145.442, -14.668],
        ],
      }),
  )
  .openapi('LinearRing')

export const PolygonGeometrySchema = z
  .lazy(() =>
    z.looseObject({ type: z.enum(['Polygon']), coordinates: z.array(LinearRingSchema).min(1).max(10000) }).openapi({
      description: 'An RFC 7946 Polygon. Foreign members are kept out but not refused.',
      'x-foreign-members': true,
      example: {
        type: 'Polygon',
        coordinates: [
          [
            [145.442, -14.668],
            [145.461, -14.668],
            [145.461, -14.651],
            [145.442, -14.651],
            [145.442, -14.668],
          ],
        ],
      },
    }),
  )
  .openapi('PolygonGeometry')

export const MultiPolygonGeometrySchema = z
  .lazy(() =>
    z
      .looseObject({
        type: z.enum(['MultiPolygon']),
        coordinates: z.array(z.array(LinearRingSchema).min(1).max(10000)).min(1).max(10000),
      })
      .openapi({
        description: 'An RFC 7946 MultiPolygon.',
        'x-foreign-members': true,
        example: {
          type: 'MultiPolygon',
          coordinates: [
            [
              [
                [145.442, -14.668],
                [145.461, -14.668],
                [145.461, -14.651],
                [145.442, -14.651],
                [145.442, -14.668],
              ],
            ],
          ],
        },
      }),
  )
  .openapi('MultiPolygonGeometry')

export const AreaSchema = z
  .lazy(() =>
    z.discriminatedUnion('type', [PolygonGeometrySchema, MultiPolygonGeometrySchema]).openapi({
      description: 'A Polygon or MultiPolygon in CRS84.',
      discriminator: {
        propertyName: 'type',
        mapping: {
          Polygon: '#/components/schemas/PolygonGeometry',
          MultiPolygon: '#/components/schemas/MultiPolygonGeometry',
        },
      },
      example: {
        type: 'Polygon',
        coordinates: [
          [
            [145.442, -14.668],
            [145.461, -14.668],
            [145.461, -14.651],
            [145.442, -14.651],
            [145.442, -14.668],
          ],
        ],
      },
    }),
  )
  .openapi('Area')

export const AreaFeatureSchema = z
  .lazy(() =>
    z
      .looseObject({
        type: z.enum(['Feature']),
        geometry: AreaSchema,
        properties: z
          .looseObject({})
          .refine((value) => Object.keys(value).length <= 200, 'Needs at most 200 members')
          .nullable()
          .openapi({ maxProperties: 200 })
          .optional(),
      })
      .openapi({
        description:
          "An RFC 7946 Feature whose geometry is an area. Its `properties` become the polygon's, where the request names none.",
        'x-foreign-members': true,
        example: {
          type: 'Feature',
          properties: { habitat: 'lagoon' },
          geometry: {
            type: 'Polygon',
            coordinates: [
              [
                [145.442, -14.668],
                [145.461, -14.668],
                [145.461, -14.651],
                [145.442, -14.651],
                [145.442, -14.668],
              ],
            ],
          },
        },
      }),
  )
  .openapi('AreaFeature')

export const AreaFeatureCollectionSchema = z
  .lazy(() =>
    z
      .looseObject({
        type: z.enum(['FeatureCollection']),
        features: z.array(AreaFeatureSchema).min(1).max(5000),
        crs: z.looseObject({}).nullable().optional(),
      })
      .openapi({
        description:
          'An RFC 7946 FeatureCollection of areas. A `crs`, as GeoJSON of 2008 had it, must name CRS84 or EPSG:4326.',
        'x-foreign-members': true,
        example: {
          type: 'FeatureCollection',
          features: [
            {
              type: 'Feature',
              properties: { name: 'Lizard Island lagoon', habitat: 'lagoon' },
              geometry: {
                type: 'Polygon',
                coordinates: [
                  [
                    [145.442, -14.668],
                    [145.461, -14.668],
                    [145.461, -14.651],
                    [145.442, -14.651],
                    [145.442, -14.668],
                  ],
                ],
              },
            },
          ],
        },
      }),
  )
  .openapi('AreaFeatureCollection')

export const AreaOrFeatureSchema = z
  .lazy(() =>
    z.discriminatedUnion('type', [PolygonGeometrySchema, MultiPolygonGeometrySchema, AreaFeatureSchema]).openapi({
      description: 'An area, bare or as a Feature.',
      discriminator: {
        propertyName: 'type',
        mapping: {
          Polygon: '#/components/schemas/PolygonGeometry',
          MultiPolygon: '#/components/schemas/MultiPolygonGeometry',
          Feature: '#/components/schemas/AreaFeature',
        },
      },
      example: {
        type: 'Polygon',
        coordinates: [
          [
            [145.442, -14.668],
            [145.461, -14.668],
            [145.461, -14.651],
            [145.442, -14.651],
            [145.442, -14.668],
          ],
        ],
      },
    }),
  )
  .openapi('AreaOrFeature')

export const EcsArnSchema = text({ minLength: 1, maxLength: 2048 })
  .openapi({ example: 'arn:aws:ecs:ap-southeast-2:123456789012:task/fieldstation/1f2e3d4c' })
  .openapi('EcsArn')

export const WorkerNameSchema = text({ minLength: 1, maxLength: 200 })
  .openapi({ description: 'Whatever tells this worker from others. For people.', example: 'hpc-node-17' })
  .openapi('WorkerName')

export const AssignRequestSchema = z
  .lazy(() =>
    z
      .strictObject({
        jobId: IdSchema,
        ecsTaskArn: EcsArnSchema.optional(),
        ecsClusterArn: EcsArnSchema.optional(),
        workerName: WorkerNameSchema.optional(),
      })
      .openapi({
        description: 'Which job to take, and who takes it.',
        example: { jobId: '019a8f00-0003-7000-8000-000000000003', workerName: 'hpc-node-17' },
      }),
  )
  .openapi('AssignRequest')

export const AssignmentSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        jobId: IdSchema,
        attempt: z.int().min(1),
        token: z
          .string()
          .openapi({ description: "Opens this assignment's operations and nothing else. Shown this once." }),
        createdAt: text({ format: 'date-time' }),
        expiresAt: text({ format: 'date-time' }).openapi({ description: 'The lease. A heartbeat extends it.' }),
        deadlineAt: text({ format: 'date-time' }).openapi({
          description: 'No heartbeat extends the lease beyond this.',
        }),
        ecsTaskArn: EcsArnSchema.optional(),
        ecsClusterArn: EcsArnSchema.optional(),
        workerName: WorkerNameSchema.optional(),
      })
      .openapi({
        description: 'One attempt at a job by one worker: its lease, its deadline, and the token that opens it.',
        example: {
          id: '019a8f00-0005-7000-8000-000000000005',
          jobId: '019a8f00-0003-7000-8000-000000000003',
          attempt: 1,
          token: 'fsa_kT3xQ0aVt8mZrW5bYc1LhN7uEo2DsGi9PfXj4Rq6vBI',
          createdAt: '2026-03-02T21:40:00.007Z',
          expiresAt: '2026-03-02T21:41:00.007Z',
          deadlineAt: '2026-03-02T22:40:00.007Z',
          workerName: 'hpc-node-17',
        },
      }),
  )
  .openapi('Assignment')

export const AssignedSchema = z
  .lazy(() =>
    z
      .looseObject({ assignment: AssignmentSchema })
      .openapi({
        description: 'The assignment that took the job.',
        example: {
          assignment: {
            id: '019a8f00-0005-7000-8000-000000000005',
            jobId: '019a8f00-0003-7000-8000-000000000003',
            attempt: 1,
            token: 'fsa_kT3xQ0aVt8mZrW5bYc1LhN7uEo2DsGi9PfXj4Rq6vBI',
            createdAt: '2026-03-02T21:40:00.007Z',
            expiresAt: '2026-03-02T21:41:00.007Z',
            deadlineAt: '2026-03-02T22:40:00.007Z',
            workerName: 'hpc-node-17',
          },
        },
      }),
  )
  .openapi('Assigned')

export const AuditActionSchema = z
  .enum([
    'registered',
    'signed_in',
    'sign_in_failed',
    'sign_in_blocked',
    'signed_out',
    'signed_out_everywhere',
    'session_ended',
    'refresh_token_reused',
    'recovery_requested',
    'password_reset',
    'password_changed',
    'password_refused',
    'user_created',
    'user_updated',
    'roles_changed',
    'user_deleted',
    'api_key_created',
    'api_key_revoked',
    'identity_linked',
    'email_requested',
  ])
  .openapi({ description: 'What was done. Actions are added, never renamed.', example: 'signed_in' })
  .openapi('AuditAction')

export const AuditEventSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        action: AuditActionSchema,
        occurredAt: text({ format: 'date-time' }),
        actorKind: z
          .enum(['anonymous', 'session', 'apiKey', 'operator', 'system'])
          .openapi({
            description:
              'Nobody in particular, a person who is signed in, an API key, an operator at the command line, or the service itself.',
          }),
        actorId: text({ format: 'uuid' }).openapi({ description: 'The person who did it.' }).optional(),
        userId: text({ format: 'uuid' }).openapi({ description: 'The person to whom it was done.' }).optional(),
        address: z.string().openapi({ description: 'The network address that the request came from.' }).optional(),
        requestId: z.string().openapi({ description: "The request's `X-Request-Id`." }).optional(),
        details: z
          .looseObject({})
          .openapi({ description: 'What else there is to know, such as the roles before and after. Never a secret.' })
          .optional(),
      })
      .openapi({
        description: 'Something that was done to an account.',
        example: {
          id: '019a8f00-000c-7000-8000-00000000000c',
          action: 'roles_changed',
          occurredAt: '2026-03-02T21:30:00.000Z',
          actorKind: 'session',
          actorId: '019a8f00-0000-7000-8000-000000000000',
          userId: '019a8f00-0001-7000-8000-000000000001',
          address: '203.0.113.7',
          requestId: '6a3b7c1e-5f0d-4c59-9a55-0e5f6f1a2b3c',
          details: { before: ['USER'], after: ['USER', 'WORKER'] },
        },
      }),
  )
  .openapi('AuditEvent')

export const AuditEventPageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(AuditEventSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of events, newest first.' }),
  )
  .openapi('AuditEventPage')

export const BboxSchema = z
  .lazy(() =>
    z
      .array(z.number())
      .min(4)
      .max(4)
      .openapi({
        description:
          'West, south, east, north in degrees (RFC 7946, section 5). West is greater than east where the antimeridian lies between them.',
        example: [145.442, -14.668, 145.461, -14.651],
      }),
  )
  .openapi('Bbox')

export const BboxTextSchema = text({ maxLength: 200 })
  .openapi({ description: 'Four numbers, separated by commas: west, south, east, north.', example: '145,-15,146,-14' })
  .openapi('BboxText')

export const JobTypeSchema = z
  .enum(['RASTER_INSPECTION', 'REGIONAL_ASSESSMENT', 'SUITABILITY_ASSESSMENT', 'TEST'])
  .openapi({ description: 'What kind of job.', example: 'TEST' })
  .openapi('JobType')

export const JobPayloadSchema = z
  .lazy(() =>
    z
      .looseObject({})
      .openapi({
        description: "What the job type's input schema describes (`GET /api/job-types`).",
        example: { id: 42, sleepSeconds: 2 },
      }),
  )
  .openapi('JobPayload')

export const JobPrioritySchema = z
  .enum(['LOW', 'NORMAL', 'HIGH'])
  .openapi({ description: 'NORMAL unless told otherwise. HIGH is for admins.', example: 'NORMAL' })
  .openapi('JobPriority')

export const ClaimableJobSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        type: JobTypeSchema,
        inputPayload: JobPayloadSchema,
        priority: JobPrioritySchema,
        attempts: z.int().min(0),
        maxAttempts: z.int().min(1),
        createdAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'What a worker needs to know of a job.',
        example: {
          id: '019a8f00-0003-7000-8000-000000000003',
          type: 'SUITABILITY_ASSESSMENT',
          inputPayload: {
            region: 'lizard-island',
            criteria: { depth: { min: -10, max: -4 }, slope: { max: 30 } },
            xDist: 100,
            yDist: 50,
            threshold: 0.9,
            polygon: {
              type: 'Polygon',
              coordinates: [
                [
                  [145.442, -14.668],
                  [145.461, -14.668],
                  [145.461, -14.651],
                  [145.442, -14.651],
                  [145.442, -14.668],
                ],
              ],
            },
          },
          priority: 'NORMAL',
          attempts: 0,
          maxAttempts: 3,
          createdAt: '2026-03-02T21:40:00.000Z',
        },
      }),
  )
  .openapi('ClaimableJob')

export const ClaimSchema = z
  .lazy(() =>
    z.looseObject({ job: ClaimableJobSchema, assignment: AssignmentSchema }).openapi({
      description: 'A job that was taken, and the assignment that took it.',
      example: {
        job: {
          id: '019a8f00-0003-7000-8000-000000000003',
          type: 'SUITABILITY_ASSESSMENT',
          inputPayload: {
            region: 'lizard-island',
            criteria: { depth: { min: -10, max: -4 }, slope: { max: 30 } },
            xDist: 100,
            yDist: 50,
            threshold: 0.9,
            polygon: {
              type: 'Polygon',
              coordinates: [
                [
                  [145.442, -14.668],
                  [145.461, -14.668],
                  [145.461, -14.651],
                  [145.442, -14.651],
                  [145.442, -14.668],
                ],
              ],
            },
          },
          priority: 'NORMAL',
          attempts: 1,
          maxAttempts: 3,
          createdAt: '2026-03-02T21:40:00.000Z',
        },
        assignment: {
          id: '019a8f00-0005-7000-8000-000000000005',
          jobId: '019a8f00-0003-7000-8000-000000000003',
          attempt: 1,
          token: 'fsa_kT3xQ0aVt8mZrW5bYc1LhN7uEo2DsGi9PfXj4Rq6vBI',
          createdAt: '2026-03-02T21:40:00.007Z',
          expiresAt: '2026-03-02T21:41:00.007Z',
          deadlineAt: '2026-03-02T22:40:00.007Z',
          workerName: 'hpc-node-17',
        },
      },
    }),
  )
  .openapi('Claim')

export const ClaimRequestSchema = z
  .lazy(() =>
    z
      .strictObject({
        jobTypes: z
          .array(JobTypeSchema)
          .min(1)
          .max(50)
          .refine(uniqueItems, 'Items must differ from each other')
          .openapi({ uniqueItems: true }),
        limit: z
          .int()
          .min(1)
          .max(100)
          .openapi({ description: 'At most so many jobs. 1 unless told otherwise.' })
          .optional(),
        waitSeconds: z
          .int()
          .min(0)
          .max(20)
          .openapi({ description: 'How long to wait for a first job. 0 unless told otherwise.' })
          .optional(),
        ecsTaskArn: EcsArnSchema.optional(),
        ecsClusterArn: EcsArnSchema.optional(),
        workerName: WorkerNameSchema.optional(),
      })
      .openapi({
        description: 'Which jobs to take, how many, and how long to wait for a first one.',
        example: { jobTypes: ['SUITABILITY_ASSESSMENT', 'TEST'], limit: 1, waitSeconds: 20, workerName: 'hpc-node-17' },
      }),
  )
  .openapi('ClaimRequest')

export const ClaimsSchema = z
  .lazy(() =>
    z
      .looseObject({ claims: z.array(ClaimSchema) })
      .openapi({ description: 'The jobs that were taken. None is no error.' }),
  )
  .openapi('Claims')

export const ContentTypeSchema = text({
  maxLength: 200,
  pattern: '^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+(; ?[a-z0-9-]+=[a-zA-Z0-9-]+)*$',
})
  .openapi({ description: 'A media type.', example: 'image/tiff' })
  .openapi('ContentType')

export const RangeSchema = z
  .lazy(() =>
    z
      .strictObject({ min: z.number().optional(), max: z.number().optional() })
      .refine((value) => Object.keys(value).length >= 1, 'Needs at least 1 members')
      .openapi({ minProperties: 1, example: { min: -10, max: -4 } }),
  )
  .openapi('Range')

export const CriteriaSchema = z
  .lazy(() =>
    z
      .record(z.string(), RangeSchema)
      .refine((value) => Object.keys(value).length >= 1, 'Needs at least 1 members')
      .refine((value) => Object.keys(value).length <= 20, 'Needs at most 20 members')
      .openapi({
        description:
          "For each layer the range that suits, both ends included. `slope` (degrees), where the region has no such layer, is derived from `depth` or\n`elevation` by Horn's method.\n",
        minProperties: 1,
        maxProperties: 20,
        example: { depth: { min: -10, max: -4 }, slope: { max: 30 } },
      }),
  )
  .openapi('Criteria')

export const CriterionSummarySchema = z
  .lazy(() =>
    z
      .strictObject({
        min: z.number().optional(),
        max: z.number().optional(),
        passRate: z
          .number()
          .min(0)
          .max(1)
          .openapi({ description: 'Of the valid cells, the fraction within the range.' }),
      })
      .openapi({ example: { min: -10, max: -4, passRate: 0.31 } }),
  )
  .openapi('CriterionSummary')

export const EmailSchema = text({ format: 'email', maxLength: 254 })
  .openapi({ example: 'ana@reef.example' })
  .openapi('Email')

export const EmailAcceptedSchema = z
  .lazy(() =>
    z
      .looseObject({ emailIds: z.array(IdSchema).openapi({ description: 'One for each recipient, in their order.' }) })
      .openapi({
        description: 'The mails that were taken.',
        example: { emailIds: ['019a8f00-000b-7000-8000-00000000000b'] },
      }),
  )
  .openapi('EmailAccepted')

export const EmailRequestSchema = z
  .lazy(() =>
    z
      .strictObject({
        recipients: z
          .array(EmailSchema)
          .min(1)
          .max(50)
          .refine(uniqueItems, 'Items must differ from each other')
          .openapi({ uniqueItems: true }),
        subject: text({ minLength: 1, maxLength: 200, pattern: '^[^\\x00-\\x1f\\x7f\\u2028\\u2029]+$' }).openapi({
          description: 'One line.',
        }),
        text: text({ minLength: 1, maxLength: 100000 })
          .openapi({ description: 'The mail as plain text. Made from `html` where it is missing.' })
          .optional(),
        html: text({ minLength: 1, maxLength: 200000 }).openapi({ description: 'The mail as HTML.' }).optional(),
      })
      .openapi({
        description: 'A mail, and who gets it.',
        example: {
          recipients: ['ana@reef.example'],
          subject: 'Survey of Lizard Island',
          text: 'The boats leave at six on Tuesday.',
        },
      }),
  )
  .openapi('EmailRequest')

export const FileNameSchema = text({
  minLength: 1,
  maxLength: 200,
  pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,5}$',
})
  .openapi({
    description: 'A relative name of up to six segments, each starting with a letter, digit or underscore.',
    example: 'sites.geojson',
  })
  .openapi('FileName')

export const Sha256Schema = text({ pattern: '^[0-9a-f]{64}$' })
  .openapi({
    description: 'A SHA-256 in lower-case hexadecimal.',
    example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  })
  .openapi('Sha256')

export const FileDeclarationSchema = z
  .lazy(() =>
    z
      .strictObject({
        name: FileNameSchema,
        sizeBytes: z.int().min(0).max(5368709120).openapi({ description: "The file's exact size." }),
        sha256: Sha256Schema,
        contentType: ContentTypeSchema,
      })
      .openapi({
        description: 'A file to upload: its name, exact size, checksum and content type.',
        example: {
          name: 'sites.geojson',
          sizeBytes: 20480,
          sha256: '5e2b7c0d9a41f6838c1be07d42f95a6310cbd8e7f2946a05b3d81c7e6f90a42d',
          contentType: 'application/geo+json',
        },
      }),
  )
  .openapi('FileDeclaration')

export const FileTitleSchema = text({
  minLength: 1,
  maxLength: 255,
  pattern: '^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f/\\\\]+$',
})
  .openapi({
    description:
      "A file's name, as people have it. Without folders and control characters, and not `.` or `..`, which are folders.",
    example: 'récif "ouest".jpg',
  })
  .openapi('FileTitle')

export const HealthSchema = z
  .lazy(() =>
    z
      .looseObject({ status: z.enum(['ok']) })
      .openapi({ description: 'That the process lives.', example: { status: 'ok' } }),
  )
  .openapi('Health')

export const HeartbeatSchema = z
  .lazy(() =>
    z
      .looseObject({
        expiresAt: text({ format: 'date-time' }).openapi({ description: 'The lease, extended.' }),
        deadlineAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: "The lease as it is now, by the service's clock.",
        example: { expiresAt: '2026-03-02T21:41:04.000Z', deadlineAt: '2026-03-02T22:40:00.007Z' },
      }),
  )
  .openapi('Heartbeat')

export const HeartbeatRequestSchema = z
  .lazy(() =>
    z
      .strictObject({
        progress: z.number().min(0).max(1).openapi({ description: 'What is done, as a fraction.' }).optional(),
      })
      .openapi({ description: 'What is done so far, as a fraction.', example: { progress: 0.4 } }),
  )
  .openapi('HeartbeatRequest')

export const ImageTypeSchema = z
  .enum(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/tiff'])
  .openapi({ description: 'What kind of image it is, as its bytes say.', example: 'image/jpeg' })
  .openapi('ImageType')

export const ImageSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        userId: IdSchema,
        name: z.string().openapi({ description: "The file's name as it was uploaded." }),
        contentType: ImageTypeSchema,
        sizeBytes: z.int().min(1),
        width: z.int().min(1).openapi({ description: 'In pixels, before any rotation that its metadata asks for.' }),
        height: z.int().min(1).openapi({ description: 'In pixels, before any rotation that its metadata asks for.' }),
        sha256: Sha256Schema,
        polygonId: IdSchema.optional(),
        noteId: IdSchema.optional(),
        createdAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'An image that somebody uploaded.',
        example: {
          id: '019a8f00-0011-7000-8000-000000000011',
          userId: '019a8f00-0001-7000-8000-000000000001',
          name: 'récif "ouest".jpg',
          contentType: 'image/jpeg',
          sizeBytes: 48213,
          width: 1600,
          height: 1200,
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          polygonId: '019a8f00-0002-7000-8000-000000000002',
          createdAt: '2026-03-02T21:37:00.000Z',
        },
      }),
  )
  .openapi('Image')

export const ImageFormSchema = z
  .lazy(() =>
    z
      .strictObject({
        file: text({ format: 'binary' }).openapi({ description: 'The image itself. Its name is kept.' }),
        polygonId: IdSchema.optional(),
        noteId: IdSchema.optional(),
      })
      .openapi({
        description: 'An image, and what it shows.',
        example: { file: 'récif "ouest".jpg', polygonId: '019a8f00-0002-7000-8000-000000000002' },
      }),
  )
  .openapi('ImageForm')

export const ImagePageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(ImageSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of images, newest first.' }),
  )
  .openapi('ImagePage')

export const ImageUpdateSchema = z
  .lazy(() =>
    z
      .strictObject({
        name: FileTitleSchema.optional(),
        polygonId: text({ format: 'uuid' })
          .nullable()
          .openapi({ description: 'The polygon that it shows.' })
          .optional(),
        noteId: text({ format: 'uuid' }).nullable().openapi({ description: 'The note that it belongs to.' }).optional(),
      })
      .openapi({
        description: 'What to change of an image. What is left out stays; null takes it away.',
        example: { polygonId: '019a8f00-0002-7000-8000-000000000002' },
      }),
  )
  .openapi('ImageUpdate')

export const ImageUploadSchema = z
  .lazy(() =>
    z
      .strictObject({
        name: FileTitleSchema,
        contentType: ImageTypeSchema,
        sizeBytes: z.int().min(1).max(5368709120).openapi({ description: "The file's exact size." }),
        sha256: Sha256Schema,
        polygonId: IdSchema.optional(),
        noteId: IdSchema.optional(),
      })
      .openapi({
        description: 'The image to come, with the exact size and checksum of its file.',
        example: {
          name: 'récif "ouest".jpg',
          contentType: 'image/jpeg',
          sizeBytes: 48213,
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          polygonId: '019a8f00-0002-7000-8000-000000000002',
        },
      }),
  )
  .openapi('ImageUpload')

export const SignedUploadSchema = z
  .lazy(() =>
    z
      .looseObject({
        name: FileNameSchema,
        url: text({ format: 'uri' }),
        method: z.enum(['PUT']),
        headers: z.record(z.string(), z.string()),
        expiresAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'Where to send a file: one request, with this method and these headers, the file as its body.',
        example: {
          name: 'sites.geojson',
          url: 'http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.geojson?signature=Zx1c',
          method: 'PUT',
          headers: { 'content-type': 'application/geo+json' },
          expiresAt: '2026-03-02T22:40:08.000Z',
        },
      }),
  )
  .openapi('SignedUpload')

export const ImageUploadCreatedSchema = z
  .lazy(() =>
    z
      .looseObject({ imageId: IdSchema, upload: SignedUploadSchema })
      .openapi({
        description: 'The id that the image will have, and where to send its file.',
        example: {
          imageId: '019a8f00-0011-7000-8000-000000000011',
          upload: {
            name: '019a8f00-0011-7000-8000-000000000011.jpg',
            url: 'http://127.0.0.1:3000/objects/images/019a8f00-0011-7000-8000-000000000011?signature=Zx1c',
            method: 'PUT',
            headers: { 'content-type': 'image/jpeg' },
            expiresAt: '2026-03-02T22:37:00.000Z',
          },
        },
      }),
  )
  .openapi('ImageUploadCreated')

export const ImportedPolygonSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        name: z.string().optional(),
        bbox: BboxSchema,
        areaSquareMeters: z.number().openapi({ description: 'Geodesic, on the WGS84 ellipsoid.' }),
      })
      .openapi({
        description: 'A polygon that was imported, without its shape.',
        example: {
          id: '019a8f00-0002-7000-8000-000000000002',
          name: 'Lizard Island lagoon',
          bbox: [145.442, -14.668, 145.461, -14.651],
          areaSquareMeters: 3849705.05,
        },
      }),
  )
  .openapi('ImportedPolygon')

export const JobStatusSchema = z
  .enum(['PENDING', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELLED'])
  .openapi({
    description:
      'PENDING → IN_PROGRESS → SUCCEEDED, FAILED or TIMED_OUT. PENDING or IN_PROGRESS → CANCELLED. The last four are final.',
    example: 'IN_PROGRESS',
  })
  .openapi('JobStatus')

export const RasterSchema = z
  .lazy(() =>
    z
      .looseObject({
        width: z.int().min(1).openapi({ description: 'Columns.' }),
        height: z.int().min(1).openapi({ description: 'Rows.' }),
        crs: z
          .looseObject({
            epsg: z.int().openapi({ description: 'Its EPSG code, where the file names one.' }).optional(),
            name: z.string().optional(),
            proj4: z.string().openapi({ description: 'Its definition as a PROJ string.' }),
          })
          .openapi({ description: 'The coordinate reference system.' }),
        extent: z
          .array(z.number())
          .min(4)
          .max(4)
          .openapi({ description: "minX, minY, maxX, maxY in the raster's own CRS." }),
        bbox: z
          .array(z.number())
          .min(4)
          .max(4)
          .openapi({ description: 'West, south, east, north in CRS84 (RFC 7946, section 5).' }),
        resolution: z
          .array(z.number())
          .min(2)
          .max(2)
          .openapi({ description: "Cell width and height in the CRS's unit." }),
        dataType: z.string().openapi({ description: 'For instance `Float32`.' }),
        nodata: z.number().openapi({ description: 'The value that marks a cell without data.' }).optional(),
        minimum: z.number().openapi({ description: 'Smallest valid value.' }),
        maximum: z.number().openapi({ description: 'Largest valid value.' }),
        validCells: z.int().min(0).openapi({ description: 'Cells that have data.' }),
      })
      .openapi({
        description: 'What the inspection found in a raster.',
        example: {
          width: 3740,
          height: 4910,
          crs: {
            epsg: 32755,
            name: 'WGS 84 / UTM zone 55S',
            proj4: '+proj=utm +zone=55 +south +datum=WGS84 +units=m +no_defs',
          },
          extent: [324150, 8370450, 342850, 8395000],
          bbox: [145.368, -14.735, 145.543, -14.512],
          resolution: [5, 5],
          dataType: 'Float32',
          nodata: -9999,
          minimum: -29.98,
          maximum: -3.7,
          validCells: 7411063,
        },
      }),
  )
  .openapi('Raster')

export const RasterInspectionResultSchema = z
  .lazy(() =>
    z
      .strictObject({
        verdict: z.enum(['READY', 'REJECTED']),
        reason: text({ minLength: 1, maxLength: 1000 })
          .openapi({ description: 'Why the raster was rejected.' })
          .optional(),
        raster: RasterSchema.optional(),
      })
      .openapi({ example: { verdict: 'REJECTED', reason: 'The file has 3 bands. A layer has one.' } }),
  )
  .openapi('RasterInspectionResult')

export const RegionalAssessmentResultSchema = z
  .lazy(() =>
    z
      .strictObject({
        cells: z.int().min(0).openapi({ description: 'All cells of the grid.' }),
        validCells: z.int().min(0).openapi({ description: 'Cells for which every criterion has data.' }),
        suitableCells: z.int().min(0),
        areaSquareMeters: z.number().min(0).openapi({ description: 'The area of the valid cells.' }),
        suitableAreaSquareMeters: z.number().min(0),
        criteria: z.record(z.string(), CriterionSummarySchema),
      })
      .openapi({
        example: {
          cells: 18363400,
          validCells: 7411063,
          suitableCells: 1210044,
          areaSquareMeters: 185276575,
          suitableAreaSquareMeters: 30251100,
          criteria: { depth: { min: -10, max: -4, passRate: 0.1633 } },
        },
      }),
  )
  .openapi('RegionalAssessmentResult')

export const SuitabilityAssessmentResultSchema = z
  .lazy(() =>
    z
      .strictObject({
        cells: z.int().min(0).openapi({ description: 'All cells of the grid.' }),
        validCells: z
          .int()
          .min(0)
          .openapi({ description: 'Cells within the polygon for which every criterion has data.' }),
        suitableCells: z.int().min(0),
        areaSquareMeters: z.number().min(0).openapi({ description: 'The area of the valid cells.' }),
        suitableAreaSquareMeters: z.number().min(0),
        criteria: z.record(z.string(), CriterionSummarySchema),
        sites: z.int().min(0).openapi({ description: 'Candidate rectangles in `sites.geojson`.' }),
        sitesTruncated: z.boolean().openapi({ description: 'True where there were more than we keep.' }),
        bestScore: z.number().min(0).max(1).optional(),
        xDist: z.number().openapi({ description: 'The width that was used, in metres.' }),
        yDist: z.number().openapi({ description: 'The height that was used, in metres.' }),
        threshold: z.number(),
      })
      .openapi({
        example: {
          cells: 18363400,
          validCells: 142310,
          suitableCells: 43018,
          areaSquareMeters: 3557750,
          suitableAreaSquareMeters: 1075450,
          criteria: { depth: { min: -10, max: -4, passRate: 0.31 }, slope: { max: 30, passRate: 0.98 } },
          sites: 163,
          sitesTruncated: false,
          bestScore: 1,
          xDist: 100,
          yDist: 50,
          threshold: 0.9,
        },
      }),
  )
  .openapi('SuitabilityAssessmentResult')

export const TestResultSchema = z
  .lazy(() => z.strictObject({ id: z.int() }).openapi({ example: { id: 42 } }))
  .openapi('TestResult')

export const JobResultSchema = z
  .lazy(() =>
    z
      .union([
        RasterInspectionResultSchema,
        RegionalAssessmentResultSchema,
        SuitabilityAssessmentResultSchema,
        TestResultSchema,
      ])
      .openapi({ description: 'What the job came to. Its schema goes by the job type.', example: { id: 42 } }),
  )
  .openapi('JobResult')

export const JobErrorSchema = z
  .lazy(() =>
    z
      .strictObject({
        message: text({ minLength: 1, maxLength: 5000 }),
        retryable: z
          .boolean()
          .openapi({ description: 'True where another attempt may succeed. False unless told otherwise.' })
          .optional(),
      })
      .openapi({
        description: 'Why the last attempt did not succeed.',
        example: { message: 'The raster "depth" ends in the middle of a tile.', retryable: false },
      }),
  )
  .openapi('JobError')

export const JobSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        type: JobTypeSchema,
        status: JobStatusSchema,
        priority: JobPrioritySchema,
        inputPayload: JobPayloadSchema,
        resultPayload: JobResultSchema.optional(),
        error: JobErrorSchema.optional(),
        progress: z
          .number()
          .min(0)
          .max(1)
          .openapi({ description: 'What the current attempt has done, as a fraction.' })
          .optional(),
        attempts: z.int().min(0).openapi({ description: 'Attempts that were started and not given back.' }),
        maxAttempts: z.int().min(1),
        lastEventId: z.int().min(0).openapi({ description: "The newest event's id. Grows with every change." }),
        createdAt: text({ format: 'date-time' }),
        updatedAt: text({ format: 'date-time' }),
        availableAt: text({ format: 'date-time' })
          .openapi({ description: 'While PENDING: when it may be claimed (again).' })
          .optional(),
        startedAt: text({ format: 'date-time' })
          .openapi({ description: 'When the current or last attempt began.' })
          .optional(),
        finishedAt: text({ format: 'date-time' }).optional(),
      })
      .openapi({
        description: 'A job as it is now. Its payloads go by its type.',
        example: {
          id: '019a8f00-0003-7000-8000-000000000003',
          type: 'SUITABILITY_ASSESSMENT',
          priority: 'NORMAL',
          inputPayload: {
            region: 'lizard-island',
            criteria: { depth: { min: -10, max: -4 }, slope: { max: 30 } },
            xDist: 100,
            yDist: 50,
            threshold: 0.9,
            polygonId: '019a8f00-0002-7000-8000-000000000002',
          },
          maxAttempts: 3,
          createdAt: '2026-03-02T21:40:00.000Z',
          status: 'SUCCEEDED',
          resultPayload: {
            cells: 18363400,
            validCells: 142310,
            suitableCells: 43018,
            areaSquareMeters: 3557750,
            suitableAreaSquareMeters: 1075450,
            criteria: { depth: { min: -10, max: -4, passRate: 0.31 }, slope: { max: 30, passRate: 0.98 } },
            sites: 163,
            sitesTruncated: false,
            bestScore: 1,
            xDist: 100,
            yDist: 50,
            threshold: 0.9,
          },
          progress: 1,
          attempts: 1,
          lastEventId: 7,
          updatedAt: '2026-03-02T21:40:09.310Z',
          startedAt: '2026-03-02T21:40:00.007Z',
          finishedAt: '2026-03-02T21:40:09.310Z',
        },
      }),
  )
  .openapi('Job')

export const RegionNameSchema = text({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' })
  .openapi({ example: 'lizard-island' })
  .openapi('RegionName')

export const LayerNameSchema = text({ pattern: '^[a-z][a-z0-9_]{0,31}$' })
  .openapi({ example: 'depth' })
  .openapi('LayerName')

export const RasterInspectionJobSchema = z
  .lazy(() =>
    z
      .strictObject({
        type: z.enum(['RASTER_INSPECTION']),
        priority: JobPrioritySchema.optional(),
        inputPayload: z.strictObject({
          region: RegionNameSchema,
          layer: LayerNameSchema,
          version: z.int().min(1).max(2147483647),
        }),
      })
      .openapi({
        description:
          'Looks into a raster that was uploaded as a layer. The service starts it when a layer is completed.',
        'x-job-type': {
          title: 'Inspect an uploaded raster',
          version: 1,
          isInternal: true,
          isCacheable: false,
          leaseSeconds: 60,
          timeoutSeconds: 1800,
          maxAttempts: 3,
          compute: { cpuUnits: 512, memoryMiB: 1024 },
        },
        example: { type: 'RASTER_INSPECTION', inputPayload: { region: 'lizard-island', layer: 'depth', version: 1 } },
      }),
  )
  .openapi('RasterInspectionJob')

export const RegionalAssessmentJobSchema = z
  .lazy(() =>
    z
      .strictObject({
        type: z.enum(['REGIONAL_ASSESSMENT']),
        priority: JobPrioritySchema.optional(),
        inputPayload: z.strictObject({ region: RegionNameSchema, criteria: CriteriaSchema }),
      })
      .openapi({
        description:
          'Marks the cells of a region that meet all criteria. Files: `suitable.tif` (a tiled, deflate-compressed GeoTIFF: 1 suitable, 0 not, 255 no data),\n`preview.png` and `summary.json`.\n',
        'x-job-type': {
          title: 'Assess a region',
          version: 1,
          isInternal: false,
          isCacheable: true,
          leaseSeconds: 60,
          timeoutSeconds: 3600,
          maxAttempts: 3,
          compute: { cpuUnits: 1024, memoryMiB: 1024 },
        },
        example: {
          type: 'REGIONAL_ASSESSMENT',
          inputPayload: { region: 'lizard-island', criteria: { depth: { min: -10, max: -4 } } },
        },
      }),
  )
  .openapi('RegionalAssessmentJob')

export const SuitabilityAssessmentJobSchema = z
  .lazy(() =>
    z
      .strictObject({
        type: z.enum(['SUITABILITY_ASSESSMENT']),
        priority: JobPrioritySchema.optional(),
        inputPayload: z.strictObject({
          region: RegionNameSchema,
          criteria: CriteriaSchema,
          xDist: z
            .number()
            .gt(0)
            .max(1000000)
            .openapi({ description: "A site's width in metres, rounded to whole cells." }),
          yDist: z
            .number()
            .gt(0)
            .max(1000000)
            .openapi({ description: "A site's height in metres, rounded to whole cells." }),
          threshold: z
            .number()
            .min(0)
            .max(1)
            .openapi({ description: "The fraction of a site's cells that must be suitable." }),
          polygonId: IdSchema.optional(),
          polygon: AreaSchema.optional(),
        }),
      })
      .openapi({
        description:
          'Finds the places where a site of a given size would suit best, each of them wholly within the polygon, where one is given. Files: `sites.geojson` (candidate rectangles that do not overlap, ranked by score),\n`sites.png` and `summary.json`.\n',
        'x-job-type': {
          title: 'Find suitable sites',
          version: 1,
          isInternal: false,
          isCacheable: true,
          leaseSeconds: 60,
          timeoutSeconds: 3600,
          maxAttempts: 3,
          compute: { cpuUnits: 1024, memoryMiB: 1024 },
        },
        example: {
          type: 'SUITABILITY_ASSESSMENT',
          inputPayload: {
            region: 'lizard-island',
            criteria: { depth: { min: -10, max: -4 }, slope: { max: 30 } },
            xDist: 100,
            yDist: 50,
            threshold: 0.9,
            polygonId: '019a8f00-0002-7000-8000-000000000002',
          },
        },
      }),
  )
  .openapi('SuitabilityAssessmentJob')

export const TestJobSchema = z
  .lazy(() =>
    z
      .strictObject({
        type: z.enum(['TEST']),
        priority: JobPrioritySchema.optional(),
        inputPayload: z.strictObject({
          id: z.int().min(-2147483648).max(2147483647).openapi({ description: 'Comes back in the result.' }),
          sleepSeconds: z
            .number()
            .min(0)
            .max(600)
            .openapi({ description: 'How long the worker sleeps, in seconds. 0 unless told otherwise.' })
            .optional(),
          fail: z.boolean().openapi({ description: 'Makes the job fail, for good.' }).optional(),
        }),
      })
      .openapi({
        description: 'Sleeps and answers what it was given. For trying a deployment out.',
        'x-job-type': {
          title: 'Try a deployment out',
          version: 1,
          isInternal: false,
          isCacheable: true,
          leaseSeconds: 20,
          timeoutSeconds: 900,
          maxAttempts: 3,
          compute: { cpuUnits: 256, memoryMiB: 512 },
        },
        example: { type: 'TEST', inputPayload: { id: 42, sleepSeconds: 2 } },
      }),
  )
  .openapi('TestJob')

export const JobCreateSchema = z
  .lazy(() =>
    z
      .discriminatedUnion('type', [
        RasterInspectionJobSchema,
        RegionalAssessmentJobSchema,
        SuitabilityAssessmentJobSchema,
        TestJobSchema,
      ])
      .openapi({
        description: 'A job to start. `type` says which `inputPayload` belongs to it.',
        discriminator: {
          propertyName: 'type',
          mapping: {
            RASTER_INSPECTION: '#/components/schemas/RasterInspectionJob',
            REGIONAL_ASSESSMENT: '#/components/schemas/RegionalAssessmentJob',
            SUITABILITY_ASSESSMENT: '#/components/schemas/SuitabilityAssessmentJob',
            TEST: '#/components/schemas/TestJob',
          },
        },
        example: { type: 'TEST', inputPayload: { id: 42, sleepSeconds: 2 } },
      }),
  )
  .openapi('JobCreate')

export const JobCreatedSchema = z
  .lazy(() =>
    z
      .looseObject({
        jobId: IdSchema,
        cached: z.boolean().openapi({ description: 'True where an equal job was there already and is shared.' }),
        jobRequestId: IdSchema,
      })
      .openapi({
        description: 'The job that answers the wish, new or shared, and the request that stands for the wish.',
        example: {
          jobId: '019a8f00-0003-7000-8000-000000000003',
          cached: false,
          jobRequestId: '019a8f00-0004-7000-8000-000000000004',
        },
      }),
  )
  .openapi('JobCreated')

export const JobDownloadSchema = z
  .lazy(() =>
    z
      .looseObject({
        job: z.looseObject({ id: IdSchema, type: JobTypeSchema, status: JobStatusSchema }),
        files: z
          .record(z.string(), text({ format: 'uri' }))
          .openapi({
            description: 'A link for each file, by its name. Links answer GET without credentials until they expire.',
          }),
      })
      .openapi({
        description: "Links to a job's files, by name. They answer GET without credentials until they expire.",
        example: {
          job: { id: '019a8f00-0003-7000-8000-000000000003', type: 'SUITABILITY_ASSESSMENT', status: 'SUCCEEDED' },
          files: {
            'sites.geojson':
              'http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.geojson?signature=Qd7w',
            'sites.png':
              'http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.png?signature=Tt0k',
            'summary.json':
              'http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/summary.json?signature=Lm3s',
          },
        },
      }),
  )
  .openapi('JobDownload')

export const JobStatusEventSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: z.int().min(1),
        kind: z.enum(['status']),
        at: text({ format: 'date-time' }),
        status: JobStatusSchema,
        reason: z
          .string()
          .openapi({
            description: 'Why, where it is not plain: a retry, a lease that expired, a worker that gave the job back.',
          })
          .optional(),
      })
      .openapi({ example: { id: 2, kind: 'status', at: '2026-03-02T21:40:00.007Z', status: 'IN_PROGRESS' } }),
  )
  .openapi('JobStatusEvent')

export const JobProgressEventSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: z.int().min(1),
        kind: z.enum(['progress']),
        at: text({ format: 'date-time' }),
        progress: z.number().min(0).max(1),
      })
      .openapi({ example: { id: 5, kind: 'progress', at: '2026-03-02T21:40:04.000Z', progress: 0.4 } }),
  )
  .openapi('JobProgressEvent')

export const LogLevelSchema = z
  .enum(['DEBUG', 'INFO', 'WARNING', 'ERROR'])
  .openapi({ description: 'How much a line of a log matters.', example: 'INFO' })
  .openapi('LogLevel')

export const JobLogEventSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: z.int().min(1),
        kind: z.enum(['log']),
        at: text({ format: 'date-time' }),
        level: LogLevelSchema,
        message: z.string(),
      })
      .openapi({
        example: {
          id: 4,
          kind: 'log',
          at: '2026-03-02T21:40:03.100Z',
          level: 'INFO',
          message: 'slope is derived from the layer depth',
        },
      }),
  )
  .openapi('JobLogEvent')

export const JobEventSchema = z
  .lazy(() =>
    z
      .discriminatedUnion('kind', [JobStatusEventSchema, JobProgressEventSchema, JobLogEventSchema])
      .openapi({
        description: 'The data of one server-sent event. `event` carries `kind`, `id` carries `id`.',
        discriminator: {
          propertyName: 'kind',
          mapping: {
            status: '#/components/schemas/JobStatusEvent',
            progress: '#/components/schemas/JobProgressEvent',
            log: '#/components/schemas/JobLogEvent',
          },
        },
        example: { id: 5, kind: 'progress', at: '2026-03-02T21:40:04.000Z', progress: 0.4 },
      }),
  )
  .openapi('JobEvent')

export const JobInputFileSchema = z
  .lazy(() =>
    z
      .looseObject({
        name: FileNameSchema,
        url: text({ format: 'uri' }).openapi({ description: 'Answers GET without credentials until `expiresAt`.' }),
        sizeBytes: z.int().min(0),
        sha256: Sha256Schema,
        contentType: z.string(),
        expiresAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'A signed link to a file that the job reads.',
        example: {
          name: 'layers/depth.tif',
          url: 'http://127.0.0.1:3000/objects/regions/lizard-island/depth/1.tif?signature=Qd7w',
          sizeBytes: 16571700,
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          contentType: 'image/tiff',
          expiresAt: '2026-03-02T22:40:00.000Z',
        },
      }),
  )
  .openapi('JobInputFile')

export const JobInputsSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(JobInputFileSchema) })
      .openapi({
        example: {
          items: [
            {
              name: 'layers/depth.tif',
              url: 'http://127.0.0.1:3000/objects/regions/lizard-island/depth/1.tif?signature=Qd7w',
              sizeBytes: 16571700,
              sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
              contentType: 'image/tiff',
              expiresAt: '2026-03-02T22:40:00.000Z',
            },
          ],
        },
      }),
  )
  .openapi('JobInputs')

export const JobLogEntrySchema = z
  .lazy(() =>
    z
      .looseObject({
        id: z.int().min(1).openapi({ description: "The event's id within its job." }),
        at: text({ format: 'date-time' }),
        level: LogLevelSchema,
        message: z.string(),
      })
      .openapi({
        description: "A line of a job's log.",
        example: {
          id: 4,
          at: '2026-03-02T21:40:03.100Z',
          level: 'INFO',
          message: 'slope is derived from the layer depth',
        },
      }),
  )
  .openapi('JobLogEntry')

export const JobLogPageSchema = z
  .lazy(() =>
    z.looseObject({ items: z.array(JobLogEntrySchema), nextCursor: CursorSchema.optional() }).openapi({
      description: 'A page of log entries, oldest first.',
      example: {
        items: [
          { id: 3, at: '2026-03-02T21:40:00.250Z', level: 'INFO', message: 'Fetching layer depth' },
          { id: 4, at: '2026-03-02T21:40:03.100Z', level: 'INFO', message: 'slope is derived from the layer depth' },
        ],
      },
    }),
  )
  .openapi('JobLogPage')

export const JobPageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(JobSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of jobs, newest first.' }),
  )
  .openapi('JobPage')

export const JobPollSchema = z
  .lazy(() =>
    z.looseObject({ jobs: z.array(ClaimableJobSchema) }).openapi({
      example: {
        jobs: [
          {
            id: '019a8f00-0003-7000-8000-000000000003',
            type: 'SUITABILITY_ASSESSMENT',
            inputPayload: {
              region: 'lizard-island',
              criteria: { depth: { min: -10, max: -4 }, slope: { max: 30 } },
              xDist: 100,
              yDist: 50,
              threshold: 0.9,
              polygon: {
                type: 'Polygon',
                coordinates: [
                  [
                    [145.442, -14.668],
                    [145.461, -14.668],
                    [145.461, -14.651],
                    [145.442, -14.651],
                    [145.442, -14.668],
                  ],
                ],
              },
            },
            priority: 'NORMAL',
            attempts: 0,
            maxAttempts: 3,
            createdAt: '2026-03-02T21:40:00.000Z',
          },
        ],
      },
    }),
  )
  .openapi('JobPoll')

export const JobRequestSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        jobId: IdSchema,
        type: JobTypeSchema,
        status: JobStatusSchema,
        cached: z.boolean(),
        createdAt: text({ format: 'date-time' }),
        withdrawnAt: text({ format: 'date-time' }).openapi({ description: 'When its owner cancelled.' }).optional(),
      })
      .openapi({
        description: "Somebody's wish for a job. Equal wishes share one job.",
        example: {
          id: '019a8f00-0004-7000-8000-000000000004',
          jobId: '019a8f00-0003-7000-8000-000000000003',
          type: 'SUITABILITY_ASSESSMENT',
          status: 'SUCCEEDED',
          cached: false,
          createdAt: '2026-03-02T21:40:00.000Z',
        },
      }),
  )
  .openapi('JobRequest')

export const JobRequestPageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(JobRequestSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of job requests, newest first.' }),
  )
  .openapi('JobRequestPage')

export const JobTypeDescriptionSchema = z
  .lazy(() =>
    z
      .looseObject({
        type: JobTypeSchema,
        title: z.string(),
        description: z.string().optional(),
        version: z.int().min(1).openapi({ description: 'Grows when equal input may give another result.' }),
        isInternal: z.boolean().openapi({ description: 'Started by the service itself and by nobody else.' }),
        isCacheable: z
          .boolean()
          .openapi({ description: 'Equal input is answered with the job that is there already.' }),
        leaseSeconds: z.int().min(1).openapi({ description: 'How long a worker may stay silent.' }),
        timeoutSeconds: z.int().min(1).openapi({ description: 'How long one attempt may take, heartbeats or not.' }),
        maxAttempts: z.int().min(1),
        compute: z.looseObject({
          cpuUnits: z.int().min(1).openapi({ description: '1024 are one core.' }),
          memoryMiB: z.int().min(1),
        }),
        inputSchema: z
          .looseObject({})
          .openapi({ description: 'The schema of `inputPayload`. References point into `/openapi.json`.' }),
        resultSchema: z.looseObject({}).openapi({ description: 'The schema of `resultPayload`.' }).optional(),
      })
      .openapi({
        description: 'What a kind of job takes and gives, and how it runs.',
        example: {
          type: 'TEST',
          title: 'Try a deployment out',
          version: 1,
          isInternal: false,
          isCacheable: true,
          leaseSeconds: 20,
          timeoutSeconds: 900,
          maxAttempts: 3,
          compute: { cpuUnits: 256, memoryMiB: 512 },
          inputSchema: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
        },
      }),
  )
  .openapi('JobTypeDescription')

export const JobTypePageSchema = z
  .lazy(() =>
    z.looseObject({ items: z.array(JobTypeDescriptionSchema), nextCursor: CursorSchema.optional() }).openapi({
      description: 'The job types, all on one page.',
      example: {
        items: [
          {
            type: 'SUITABILITY_ASSESSMENT',
            title: 'Find suitable sites',
            version: 1,
            isInternal: false,
            isCacheable: true,
            leaseSeconds: 60,
            timeoutSeconds: 3600,
            maxAttempts: 3,
            compute: { cpuUnits: 1024, memoryMiB: 1024 },
            inputSchema: {
              type: 'object',
              required: ['region', 'criteria', 'xDist', 'yDist', 'threshold'],
              properties: {
                region: { type: 'string' },
                criteria: { type: 'object' },
                xDist: { type: 'number' },
                yDist: { type: 'number' },
                threshold: { type: 'number' },
                polygonId: { type: 'string', format: 'uuid' },
              },
            },
          },
          {
            type: 'TEST',
            title: 'Try a deployment out',
            version: 1,
            isInternal: false,
            isCacheable: true,
            leaseSeconds: 20,
            timeoutSeconds: 900,
            maxAttempts: 3,
            compute: { cpuUnits: 256, memoryMiB: 512 },
            inputSchema: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
          },
        ],
      },
    }),
  )
  .openapi('JobTypePage')

export const JwksSchema = z
  .lazy(() =>
    z
      .looseObject({
        keys: z.array(
          z.looseObject({
            kty: z.enum(['RSA']),
            kid: z.string(),
            use: z.enum(['sig']),
            alg: z.enum(['RS256']),
            n: z.string(),
            e: z.string(),
          }),
        ),
      })
      .openapi({
        description: 'An RFC 7517 key set. The first key signs; all verify.',
        example: {
          keys: [
            {
              kty: 'RSA',
              kid: 'Nq4kZ1uXbq0',
              use: 'sig',
              alg: 'RS256',
              n: 'sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri',
              e: 'AQAB',
            },
          ],
        },
      }),
  )
  .openapi('Jwks')

export const LayerStatusSchema = z
  .enum(['UPLOADING', 'INSPECTING', 'READY', 'REJECTED'])
  .openapi({ description: 'UPLOADING → INSPECTING → READY or REJECTED.', example: 'READY' })
  .openapi('LayerStatus')

export const LayerSchema = z
  .lazy(() =>
    z
      .looseObject({
        name: LayerNameSchema,
        version: z.int().min(1),
        status: LayerStatusSchema,
        reason: z.string().openapi({ description: 'Why the version was rejected.' }).optional(),
        sizeBytes: z.int().min(1),
        inspectionJobId: IdSchema.optional(),
        readyVersion: z.int().min(1).openapi({ description: 'The version that assessments read.' }).optional(),
        raster: RasterSchema.optional(),
        createdAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'The newest version of a layer. While it is not READY, assessments go on reading `readyVersion`.',
        example: {
          name: 'depth',
          version: 1,
          status: 'READY',
          sizeBytes: 16571700,
          inspectionJobId: '019a8f00-0007-7000-8000-000000000007',
          readyVersion: 1,
          raster: {
            width: 3740,
            height: 4910,
            crs: {
              epsg: 32755,
              name: 'WGS 84 / UTM zone 55S',
              proj4: '+proj=utm +zone=55 +south +datum=WGS84 +units=m +no_defs',
            },
            extent: [324150, 8370450, 342850, 8395000],
            bbox: [145.368, -14.735, 145.543, -14.512],
            resolution: [5, 5],
            dataType: 'Float32',
            nodata: -9999,
            minimum: -29.98,
            maximum: -3.7,
            validCells: 7411063,
          },
          createdAt: '2026-03-01T04:00:00.000Z',
        },
      }),
  )
  .openapi('Layer')

export const LayerCompleteSchema = z
  .lazy(() =>
    z
      .strictObject({
        version: z.int().min(1).max(2147483647).openapi({ description: 'The version that was uploaded.' }),
      })
      .openapi({ description: 'Which version has its file now.', example: { version: 1 } }),
  )
  .openapi('LayerComplete')

export const LayerUploadSchema = z
  .lazy(() =>
    z
      .strictObject({
        sizeBytes: z.int().min(1).max(53687091200).openapi({ description: "The file's exact size." }),
        sha256: Sha256Schema,
        contentType: ContentTypeSchema.optional(),
      })
      .openapi({
        description: 'The exact size and checksum of the file to upload as a layer.',
        example: {
          sizeBytes: 16571700,
          sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          contentType: 'image/tiff',
        },
      }),
  )
  .openapi('LayerUpload')

export const LayerUploadCreatedSchema = z
  .lazy(() =>
    z
      .looseObject({
        version: z.int().min(1).openapi({ description: 'The version that this upload will be.' }),
        upload: SignedUploadSchema,
      })
      .openapi({
        description: 'The version that the file will be, and where to send it.',
        example: {
          version: 1,
          upload: {
            name: 'depth.tif',
            url: 'http://127.0.0.1:3000/objects/regions/lizard-island/depth/1.tif?signature=Zx1c',
            method: 'PUT',
            headers: { 'content-type': 'image/tiff' },
            expiresAt: '2026-03-01T05:00:00.000Z',
          },
        },
      }),
  )
  .openapi('LayerUploadCreated')

export const LogEntriesSchema = z
  .lazy(() =>
    z
      .strictObject({
        entries: z
          .array(z.strictObject({ level: LogLevelSchema.optional(), message: text({ minLength: 1, maxLength: 5000 }) }))
          .min(1)
          .max(500),
      })
      .openapi({
        description: "Lines for a job's log.",
        example: { entries: [{ level: 'INFO', message: 'slope is derived from the layer depth' }] },
      }),
  )
  .openapi('LogEntries')

export const LoginRequestSchema = z
  .lazy(() =>
    z
      .strictObject({ email: EmailSchema, password: text({ format: 'password', minLength: 1, maxLength: 200 }) })
      .openapi({
        description: 'What a person signs in with.',
        example: { email: 'ana@reef.example', password: 'slow-tides-carry-sand' },
      }),
  )
  .openapi('LoginRequest')

export const NewPasswordSchema = text({ format: 'password', minLength: 12, maxLength: 200 })
  .openapi({
    description:
      'None that others would guess first, and none that is little more than the email. Any characters will do.',
    example: 'slow-tides-carry-sand',
  })
  .openapi('NewPassword')

export const NoteSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        userId: IdSchema,
        polygonId: IdSchema,
        content: z.string(),
        createdAt: text({ format: 'date-time' }),
        updatedAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'What somebody wrote about a polygon.',
        example: {
          id: '019a8f00-0010-7000-8000-000000000010',
          userId: '019a8f00-0001-7000-8000-000000000001',
          polygonId: '019a8f00-0002-7000-8000-000000000002',
          content: 'Bleaching on the western edge; come back after the next full moon.',
          createdAt: '2026-03-02T21:36:00.000Z',
          updatedAt: '2026-03-02T21:36:00.000Z',
        },
      }),
  )
  .openapi('Note')

export const NoteCreateSchema = z
  .lazy(() =>
    z
      .strictObject({ polygonId: IdSchema, content: text({ minLength: 1, maxLength: 20000 }) })
      .openapi({
        description: 'A note, and the polygon that it is about.',
        example: {
          polygonId: '019a8f00-0002-7000-8000-000000000002',
          content: 'Bleaching on the western edge; come back after the next full moon.',
        },
      }),
  )
  .openapi('NoteCreate')

export const NotePageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(NoteSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of notes, newest first.' }),
  )
  .openapi('NotePage')

export const NoteUpdateSchema = z
  .lazy(() =>
    z
      .strictObject({ content: text({ minLength: 1, maxLength: 20000 }) })
      .openapi({
        description: 'What a note says from now on.',
        example: { content: 'Bleaching on the western edge; no worse a month later.' },
      }),
  )
  .openapi('NoteUpdate')

export const PasswordChangeSchema = z
  .lazy(() =>
    z
      .strictObject({ currentPassword: text({ minLength: 1, maxLength: 200 }), newPassword: NewPasswordSchema })
      .openapi({
        description: 'The present password, and the one that follows it.',
        example: { currentPassword: 'slow-tides-carry-sand', newPassword: 'quiet-lagoons-hold-rain' },
      }),
  )
  .openapi('PasswordChange')

export const PersonNameSchema = text({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+$',
})
  .openapi({ description: 'One line, as it is shown to others.', example: 'Ana Torres' })
  .openapi('PersonName')

export const PolygonSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        userId: IdSchema,
        polygon: AreaSchema,
        bbox: BboxSchema,
        areaSquareMeters: z.number().openapi({ description: 'Geodesic, on the WGS84 ellipsoid.' }),
        centroid: PositionSchema,
        name: z.string().optional(),
        description: z.string().optional(),
        properties: z.looseObject({}),
        createdAt: text({ format: 'date-time' }),
        updatedAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'A place that somebody drew, and what follows from its shape.',
        example: {
          id: '019a8f00-0002-7000-8000-000000000002',
          userId: '019a8f00-0001-7000-8000-000000000001',
          name: 'Lizard Island lagoon',
          polygon: {
            type: 'Polygon',
            coordinates: [
              [
                [145.442, -14.668],
                [145.461, -14.668],
                [145.461, -14.651],
                [145.442, -14.651],
                [145.442, -14.668],
              ],
            ],
          },
          bbox: [145.442, -14.668, 145.461, -14.651],
          areaSquareMeters: 3849705.05,
          centroid: [145.4515, -14.6595],
          properties: {},
          createdAt: '2026-03-02T21:30:00.000Z',
          updatedAt: '2026-03-02T21:30:00.000Z',
        },
      }),
  )
  .openapi('Polygon')

export const PolygonFeatureSchema = z
  .lazy(() =>
    z
      .looseObject({
        type: z.enum(['Feature']),
        id: IdSchema,
        bbox: BboxSchema,
        geometry: AreaSchema,
        properties: z.looseObject({}),
      })
      .openapi({
        description: 'A polygon as an RFC 7946 Feature. What the service knows of it stands among its own properties.',
        example: {
          type: 'Feature',
          id: '019a8f00-0002-7000-8000-000000000002',
          bbox: [145.442, -14.668, 145.461, -14.651],
          geometry: {
            type: 'Polygon',
            coordinates: [
              [
                [145.442, -14.668],
                [145.461, -14.668],
                [145.461, -14.651],
                [145.442, -14.651],
                [145.442, -14.668],
              ],
            ],
          },
          properties: {
            name: 'Lizard Island lagoon',
            userId: '019a8f00-0001-7000-8000-000000000001',
            areaSquareMeters: 3849705.05,
            createdAt: '2026-03-02T21:30:00.000Z',
            updatedAt: '2026-03-02T21:30:00.000Z',
          },
        },
      }),
  )
  .openapi('PolygonFeature')

export const PolygonFeatureCollectionSchema = z
  .lazy(() =>
    z
      .looseObject({
        type: z.enum(['FeatureCollection']),
        features: z.array(PolygonFeatureSchema),
        nextCursor: CursorSchema.optional(),
      })
      .openapi({
        description:
          'A page of polygons as an RFC 7946 FeatureCollection, newest first. `nextCursor` is a foreign member.',
      }),
  )
  .openapi('PolygonFeatureCollection')

export const PolygonImportSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(ImportedPolygonSchema) })
      .openapi({
        description: 'What was imported, in the order of the features.',
        example: {
          items: [
            {
              id: '019a8f00-0002-7000-8000-000000000002',
              name: 'Lizard Island lagoon',
              bbox: [145.442, -14.668, 145.461, -14.651],
              areaSquareMeters: 3849705.05,
            },
          ],
        },
      }),
  )
  .openapi('PolygonImport')

export const PolygonPageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(PolygonSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of polygons, newest first.' }),
  )
  .openapi('PolygonPage')

export const PolygonWriteSchema = z
  .lazy(() =>
    z
      .strictObject({
        polygon: AreaOrFeatureSchema,
        name: text({ minLength: 1, maxLength: 200 }).optional(),
        description: text({ maxLength: 5000 }).optional(),
        properties: z
          .looseObject({})
          .refine((value) => Object.keys(value).length <= 200, 'Needs at most 200 members')
          .openapi({ maxProperties: 200, description: 'Whatever you want to keep with it.' })
          .optional(),
      })
      .openapi({
        description: 'What a polygon is made of or replaced by.',
        example: {
          name: 'Lizard Island lagoon',
          polygon: {
            type: 'Polygon',
            coordinates: [
              [
                [145.442, -14.668],
                [145.461, -14.668],
                [145.461, -14.651],
                [145.442, -14.651],
                [145.442, -14.668],
              ],
            ],
          },
        },
      }),
  )
  .openapi('PolygonWrite')

export const ProblemCodeSchema = z
  .enum([
    'invalid_request',
    'email_taken',
    'unauthenticated',
    'invalid_credentials',
    'invalid_refresh_token',
    'invalid_reset_token',
    'forbidden',
    'insufficient_scope',
    'registration_closed',
    'wrong_password',
    'identity_not_linked',
    'priority_reserved',
    'not_found',
    'method_not_allowed',
    'user_not_found',
    'session_not_found',
    'api_key_not_found',
    'polygon_not_found',
    'note_not_found',
    'image_not_found',
    'region_not_found',
    'layer_not_found',
    'job_type_not_found',
    'job_not_found',
    'assignment_not_found',
    'request_timeout',
    'job_not_available',
    'job_finished',
    'job_not_succeeded',
    'job_cancelled',
    'assignment_lost',
    'result_conflict',
    'file_conflict',
    'upload_incomplete',
    'last_admin',
    'idempotency_in_progress',
    'precondition_failed',
    'payload_too_large',
    'unsupported_media_type',
    'range_not_satisfiable',
    'unresolved_reference',
    'image_refused',
    'idempotency_mismatch',
    'too_many_active_jobs',
    'too_many_attempts',
    'internal',
    'service_unavailable',
  ])
  .openapi({
    description: 'What went wrong, for programs. Codes are added, never renamed.',
    example: 'polygon_not_found',
  })
  .openapi('ProblemCode')

export const ProblemErrorSchema = z
  .lazy(() =>
    z
      .looseObject({
        pointer: z
          .string()
          .openapi({
            description: 'JSON Pointer into the body, or `/query/…`, `/path/…`, `/header/…` for a parameter.',
          }),
        detail: z.string(),
      })
      .openapi({
        description: 'One fault of an invalid input, and where it is.',
        example: { pointer: '/inputPayload/threshold', detail: 'Too big: expected number to be <=1' },
      }),
  )
  .openapi('ProblemError')

export const ProblemSchema = z
  .lazy(() =>
    z
      .looseObject({
        type: text({ format: 'uri' }).openapi({ description: 'Names the kind of problem. One per `code`.' }),
        title: z.string().openapi({ description: 'The kind of problem in a few words.' }),
        status: z.int().min(400).max(599).openapi({ description: 'The HTTP status.' }),
        detail: z.string().openapi({ description: 'What happened this time, for people.' }).optional(),
        instance: z.string().openapi({ description: 'The path that was asked for.' }).optional(),
        code: ProblemCodeSchema,
        requestId: z.string().openapi({ description: 'Names this request in our logs.' }),
        errors: z
          .array(ProblemErrorSchema)
          .openapi({ description: 'For invalid input: each fault and where it is.' })
          .optional(),
      })
      .openapi({
        description: 'An RFC 9457 problem.',
        example: {
          type: 'https://fieldstation.example/problems/polygon-not-found',
          title: 'Polygon not found',
          status: 404,
          detail: 'There is no polygon 019a8f00-0002-7000-8000-00000000000b that you may see.',
          instance: '/api/polygons/019a8f00-0002-7000-8000-00000000000b',
          code: 'polygon_not_found',
          requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
        },
      }),
  )
  .openapi('Problem')

export const RoleSchema = z
  .enum(['USER', 'WORKER', 'ADMIN'])
  .openapi({ description: 'USER is everyone. WORKER may take jobs. ADMIN may do everything.', example: 'USER' })
  .openapi('Role')

export const UserSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        email: EmailSchema,
        name: PersonNameSchema.optional(),
        roles: z.array(RoleSchema),
        isInMailingList: z.boolean().openapi({ description: 'Whether the person wants news of the project.' }),
        isPluginUser: z.boolean().openapi({ description: 'Whether the person works through a desktop plugin.' }),
        wantsJobMail: z
          .boolean()
          .openapi({ description: 'Whether the person gets a mail when a job of theirs is finished or has failed.' }),
        createdAt: text({ format: 'date-time' }),
        updatedAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'A person, with their roles.',
        example: {
          id: '019a8f00-0001-7000-8000-000000000001',
          email: 'ana@reef.example',
          name: 'Ana Torres',
          roles: ['USER', 'WORKER'],
          isInMailingList: false,
          isPluginUser: false,
          wantsJobMail: true,
          createdAt: '2026-03-02T21:14:05.120Z',
          updatedAt: '2026-03-02T21:16:40.000Z',
        },
      }),
  )
  .openapi('User')

export const ProfileSchema = z
  .lazy(() =>
    z
      .looseObject({ user: UserSchema })
      .openapi({
        description: 'Who the credentials belong to.',
        example: {
          user: {
            id: '019a8f00-0001-7000-8000-000000000001',
            email: 'ana@reef.example',
            name: 'Ana Torres',
            roles: ['USER', 'WORKER'],
            isInMailingList: false,
            isPluginUser: false,
            wantsJobMail: true,
            createdAt: '2026-03-02T21:14:05.120Z',
            updatedAt: '2026-03-02T21:16:40.000Z',
          },
        },
      }),
  )
  .openapi('Profile')

export const ReadinessSchema = z
  .lazy(() =>
    z
      .looseObject({
        status: z.enum(['ok', 'unavailable']),
        checks: z
          .looseObject({ database: z.enum(['ok', 'unavailable']), store: z.enum(['ok', 'unavailable']) })
          .openapi({ description: 'What was asked, and what it said.' }),
      })
      .openapi({
        description: 'What was asked of database and store, and what they said.',
        example: { status: 'ok', checks: { database: 'ok', store: 'ok' } },
      }),
  )
  .openapi('Readiness')

export const RecoverPasswordRequestSchema = z
  .lazy(() =>
    z
      .strictObject({ email: EmailSchema })
      .openapi({ description: 'Whose password is lost.', example: { email: 'ana@reef.example' } }),
  )
  .openapi('RecoverPasswordRequest')

export const RefreshTokenSchema = text({ minLength: 1, maxLength: 200 })
  .openapi({
    description: 'Good for one use. Using it gives its successor.',
    example: 'fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E',
  })
  .openapi('RefreshToken')

export const RegionSchema = z
  .lazy(() =>
    z
      .looseObject({
        name: RegionNameSchema,
        title: z.string(),
        description: z.string().optional(),
        layers: z.array(LayerSchema),
        createdAt: text({ format: 'date-time' }),
        updatedAt: text({ format: 'date-time' }),
      })
      .openapi({
        description: 'A named area with its layers.',
        example: {
          name: 'lizard-island',
          title: 'Lizard Island',
          description: 'The reef slope around Lizard Island.',
          layers: [
            {
              name: 'depth',
              version: 1,
              status: 'READY',
              sizeBytes: 16571700,
              inspectionJobId: '019a8f00-0007-7000-8000-000000000007',
              readyVersion: 1,
              createdAt: '2026-03-01T04:00:00.000Z',
            },
          ],
          createdAt: '2026-03-01T03:58:00.000Z',
          updatedAt: '2026-03-01T03:58:00.000Z',
        },
      }),
  )
  .openapi('Region')

export const RegionPageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(RegionSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of regions, by name.' }),
  )
  .openapi('RegionPage')

export const RegionWriteSchema = z
  .lazy(() =>
    z
      .strictObject({
        title: text({ minLength: 1, maxLength: 200 }),
        description: text({ maxLength: 5000 }).optional(),
      })
      .openapi({
        description: 'What describes a region.',
        example: { title: 'Lizard Island', description: 'The reef slope around Lizard Island.' },
      }),
  )
  .openapi('RegionWrite')

export const RegisterRequestSchema = z
  .lazy(() =>
    z
      .strictObject({ email: EmailSchema, password: NewPasswordSchema, name: PersonNameSchema.optional() })
      .openapi({
        description: 'What an account is made from.',
        example: { email: 'ana@reef.example', password: 'slow-tides-carry-sand', name: 'Ana Torres' },
      }),
  )
  .openapi('RegisterRequest')

export const RegistrationSchema = z
  .lazy(() =>
    z
      .looseObject({ userId: IdSchema })
      .openapi({
        description: 'The id of a new account.',
        example: { userId: '019a8f00-0001-7000-8000-000000000001' },
      }),
  )
  .openapi('Registration')

export const ResetPasswordRequestSchema = z
  .lazy(() =>
    z
      .strictObject({
        token: text({ minLength: 1, maxLength: 100 }).openapi({
          description: 'What the link of the mail carries after `#token=`.',
        }),
        password: NewPasswordSchema,
      })
      .openapi({
        description: 'A token from a mail, and the password that it sets.',
        example: { token: 'fsp_9xQm2LrTz8VbKc4WnYh7JdPf1SgAe6Ui3OoRl5XwZtM', password: 'quiet-lagoons-hold-rain' },
      }),
  )
  .openapi('ResetPasswordRequest')

export const ResultAcceptedSchema = z
  .lazy(() =>
    z
      .looseObject({
        assignmentId: IdSchema,
        jobId: IdSchema,
        status: z.enum(['SUCCEEDED', 'FAILED']).openapi({ description: 'What this attempt came to.' }),
        willRetry: z.boolean().openapi({ description: 'True where the job goes back to PENDING for another attempt.' }),
      })
      .openapi({
        description: 'What the attempt came to, and whether there will be another.',
        example: {
          assignmentId: '019a8f00-0005-7000-8000-000000000005',
          jobId: '019a8f00-0003-7000-8000-000000000003',
          status: 'SUCCEEDED',
          willRetry: false,
        },
      }),
  )
  .openapi('ResultAccepted')

export const ResultRequestSchema = z
  .lazy(() =>
    z
      .strictObject({
        status: z.enum(['SUCCEEDED', 'FAILED']),
        resultPayload: z
          .looseObject({})
          .openapi({ description: "What the job type's result schema describes. For SUCCEEDED." })
          .optional(),
        metadata: z
          .looseObject({})
          .refine((value) => Object.keys(value).length <= 100, 'Needs at most 100 members')
          .openapi({ maxProperties: 100, description: 'Whatever the worker wants to keep with the result.' })
          .optional(),
        error: JobErrorSchema.optional(),
      })
      .openapi({
        description: 'What an attempt came to: a result, or an error.',
        example: {
          status: 'SUCCEEDED',
          resultPayload: {
            cells: 18363400,
            validCells: 142310,
            suitableCells: 43018,
            areaSquareMeters: 3557750,
            suitableAreaSquareMeters: 1075450,
            criteria: { depth: { min: -10, max: -4, passRate: 0.31 }, slope: { max: 30, passRate: 0.98 } },
            sites: 163,
            sitesTruncated: false,
            bestScore: 1,
            xDist: 100,
            yDist: 50,
            threshold: 0.9,
          },
        },
      }),
  )
  .openapi('ResultRequest')

export const SessionSchema = z
  .lazy(() =>
    z
      .looseObject({
        id: IdSchema,
        createdAt: text({ format: 'date-time' }).openapi({ description: 'When I signed in.' }),
        lastUsedAt: text({ format: 'date-time' }).openapi({ description: 'When its refresh token was last used.' }),
        expiresAt: text({ format: 'date-time' }).openapi({ description: 'When it ends, unless it is used before.' }),
        isCurrent: z.boolean().openapi({ description: 'Whether this request was made with it.' }),
        address: z
          .string()
          .openapi({ description: 'The network address that I signed in from, where it is known.' })
          .optional(),
        userAgent: z
          .string()
          .openapi({ description: 'What the program that signed in calls itself, shortened.' })
          .optional(),
      })
      .openapi({
        description: 'A place where somebody is signed in.',
        example: {
          id: '019a8f00-000a-7000-8000-00000000000a',
          createdAt: '2026-03-02T21:14:06.000Z',
          lastUsedAt: '2026-03-02T22:14:01.500Z',
          expiresAt: '2026-04-01T22:14:01.500Z',
          isCurrent: true,
          address: '203.0.113.7',
          userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
        },
      }),
  )
  .openapi('Session')

export const SessionPageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(SessionSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of sessions, newest first.' }),
  )
  .openapi('SessionPage')

export const SignedUploadsSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(SignedUploadSchema) })
      .openapi({
        example: {
          items: [
            {
              name: 'sites.geojson',
              url: 'http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.geojson?signature=Zx1c',
              method: 'PUT',
              headers: { 'content-type': 'application/geo+json' },
              expiresAt: '2026-03-02T22:40:08.000Z',
            },
          ],
        },
      }),
  )
  .openapi('SignedUploads')

export const TokenRequestSchema = z
  .lazy(() =>
    z
      .strictObject({ refreshToken: RefreshTokenSchema })
      .openapi({
        description: 'The refresh token to use up.',
        example: { refreshToken: 'fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E' },
      }),
  )
  .openapi('TokenRequest')

export const TokensSchema = z
  .lazy(() =>
    z
      .looseObject({
        token: z.string().openapi({ description: 'The access token (a JWT, RS256).' }),
        refreshToken: RefreshTokenSchema,
        expiresIn: z.int().min(0).openapi({ description: 'Seconds that `token` is good for.' }),
      })
      .openapi({
        description: 'An access token, the refresh token that renews it, and how many seconds the first is good for.',
        example: {
          token: 'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIwMTlhOGYwMC0wMDAxIn0.c2lnbmF0dXJl',
          refreshToken: 'fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E',
          expiresIn: 3600,
        },
      }),
  )
  .openapi('Tokens')

export const UploadsRequestSchema = z
  .lazy(() =>
    z
      .strictObject({ files: z.array(FileDeclarationSchema).min(1).max(100) })
      .openapi({
        example: {
          files: [
            {
              name: 'sites.geojson',
              sizeBytes: 20480,
              sha256: '5e2b7c0d9a41f6838c1be07d42f95a6310cbd8e7f2946a05b3d81c7e6f90a42d',
              contentType: 'application/geo+json',
            },
          ],
        },
      }),
  )
  .openapi('UploadsRequest')

export const UserCreateSchema = z
  .lazy(() =>
    z
      .strictObject({
        email: EmailSchema,
        password: NewPasswordSchema.optional(),
        name: PersonNameSchema.optional(),
        roles: z
          .array(RoleSchema)
          .min(1)
          .max(3)
          .refine(uniqueItems, 'Items must differ from each other')
          .openapi({ uniqueItems: true, description: 'USER is added where it is missing.' })
          .optional(),
        isInMailingList: z
          .boolean()
          .openapi({ description: 'Whether the person wants news of the project.' })
          .optional(),
        isPluginUser: z
          .boolean()
          .openapi({ description: 'Whether the person works through a desktop plugin.' })
          .optional(),
      })
      .openapi({
        description: 'A new account, as an admin makes it.',
        example: { email: 'ana@reef.example', name: 'Ana Torres', roles: ['USER', 'WORKER'] },
      }),
  )
  .openapi('UserCreate')

export const UserMeUpdateSchema = z
  .lazy(() =>
    z
      .strictObject({
        name: PersonNameSchema.optional(),
        isInMailingList: z
          .boolean()
          .openapi({ description: 'Whether the person wants news of the project.' })
          .optional(),
        isPluginUser: z
          .boolean()
          .openapi({ description: 'Whether the person works through a desktop plugin.' })
          .optional(),
        wantsJobMail: z
          .boolean()
          .openapi({ description: 'Whether the person gets a mail when a job of theirs is finished or has failed.' })
          .optional(),
      })
      .refine((value) => Object.keys(value).length >= 1, 'Needs at least 1 members')
      .openapi({
        description: 'What a person may change of themselves. What is left out stays.',
        minProperties: 1,
        example: { name: 'Ana Torres-Vega', wantsJobMail: true },
      }),
  )
  .openapi('UserMeUpdate')

export const UserPageSchema = z
  .lazy(() =>
    z
      .looseObject({ items: z.array(UserSchema), nextCursor: CursorSchema.optional() })
      .openapi({ description: 'A page of people, newest first.' }),
  )
  .openapi('UserPage')

export const UserUpdateSchema = z
  .lazy(() =>
    z
      .strictObject({
        name: PersonNameSchema.optional(),
        roles: z
          .array(RoleSchema)
          .min(1)
          .max(3)
          .refine(uniqueItems, 'Items must differ from each other')
          .openapi({ uniqueItems: true, description: 'USER is added where it is missing.' })
          .optional(),
        isInMailingList: z
          .boolean()
          .openapi({ description: 'Whether the person wants news of the project.' })
          .optional(),
        isPluginUser: z
          .boolean()
          .openapi({ description: 'Whether the person works through a desktop plugin.' })
          .optional(),
      })
      .refine((value) => Object.keys(value).length >= 1, 'Needs at least 1 members')
      .openapi({
        description: 'What an admin changes of a person. What is left out stays.',
        minProperties: 1,
        example: { roles: ['USER', 'WORKER'] },
      }),
  )
  .openapi('UserUpdate')

/** Every component, each after those that it refers to. */
export const components = {
  Id: IdSchema,
  Scope: ScopeSchema,
  ApiKey: ApiKeySchema,
  ApiKeyCreate: ApiKeyCreateSchema,
  ApiKeyCreated: ApiKeyCreatedSchema,
  Cursor: CursorSchema,
  ApiKeyPage: ApiKeyPageSchema,
  Position: PositionSchema,
  LinearRing: LinearRingSchema,
  PolygonGeometry: PolygonGeometrySchema,
  MultiPolygonGeometry: MultiPolygonGeometrySchema,
  Area: AreaSchema,
  AreaFeature: AreaFeatureSchema,
  AreaFeatureCollection: AreaFeatureCollectionSchema,
  AreaOrFeature: AreaOrFeatureSchema,
  EcsArn: EcsArnSchema,
  WorkerName: WorkerNameSchema,
  AssignRequest: AssignRequestSchema,
  Assignment: AssignmentSchema,
  Assigned: AssignedSchema,
  AuditAction: AuditActionSchema,
  AuditEvent: AuditEventSchema,
  AuditEventPage: AuditEventPageSchema,
  Bbox: BboxSchema,
  BboxText: BboxTextSchema,
  JobType: JobTypeSchema,
  JobPayload: JobPayloadSchema,
  JobPriority: JobPrioritySchema,
  ClaimableJob: ClaimableJobSchema,
  Claim: ClaimSchema,
  ClaimRequest: ClaimRequestSchema,
  Claims: ClaimsSchema,
  ContentType: ContentTypeSchema,
  Range: RangeSchema,
  Criteria: CriteriaSchema,
  CriterionSummary: CriterionSummarySchema,
  Email: EmailSchema,
  EmailAccepted: EmailAcceptedSchema,
  EmailRequest: EmailRequestSchema,
  FileName: FileNameSchema,
  Sha256: Sha256Schema,
  FileDeclaration: FileDeclarationSchema,
  FileTitle: FileTitleSchema,
  Health: HealthSchema,
  Heartbeat: HeartbeatSchema,
  HeartbeatRequest: HeartbeatRequestSchema,
  ImageType: ImageTypeSchema,
  Image: ImageSchema,
  ImageForm: ImageFormSchema,
  ImagePage: ImagePageSchema,
  ImageUpdate: ImageUpdateSchema,
  ImageUpload: ImageUploadSchema,
  SignedUpload: SignedUploadSchema,
  ImageUploadCreated: ImageUploadCreatedSchema,
  ImportedPolygon: ImportedPolygonSchema,
  JobStatus: JobStatusSchema,
  Raster: RasterSchema,
  RasterInspectionResult: RasterInspectionResultSchema,
  RegionalAssessmentResult: RegionalAssessmentResultSchema,
  SuitabilityAssessmentResult: SuitabilityAssessmentResultSchema,
  TestResult: TestResultSchema,
  JobResult: JobResultSchema,
  JobError: JobErrorSchema,
  Job: JobSchema,
  RegionName: RegionNameSchema,
  LayerName: LayerNameSchema,
  RasterInspectionJob: RasterInspectionJobSchema,
  RegionalAssessmentJob: RegionalAssessmentJobSchema,
  SuitabilityAssessmentJob: SuitabilityAssessmentJobSchema,
  TestJob: TestJobSchema,
  JobCreate: JobCreateSchema,
  JobCreated: JobCreatedSchema,
  JobDownload: JobDownloadSchema,
  JobStatusEvent: JobStatusEventSchema,
  JobProgressEvent: JobProgressEventSchema,
  LogLevel: LogLevelSchema,
  JobLogEvent: JobLogEventSchema,
  JobEvent: JobEventSchema,
  JobInputFile: JobInputFileSchema,
  JobInputs: JobInputsSchema,
  JobLogEntry: JobLogEntrySchema,
  JobLogPage: JobLogPageSchema,
  JobPage: JobPageSchema,
  JobPoll: JobPollSchema,
  JobRequest: JobRequestSchema,
  JobRequestPage: JobRequestPageSchema,
  JobTypeDescription: JobTypeDescriptionSchema,
  JobTypePage: JobTypePageSchema,
  Jwks: JwksSchema,
  LayerStatus: LayerStatusSchema,
  Layer: LayerSchema,
  LayerComplete: LayerCompleteSchema,
  LayerUpload: LayerUploadSchema,
  LayerUploadCreated: LayerUploadCreatedSchema,
  LogEntries: LogEntriesSchema,
  LoginRequest: LoginRequestSchema,
  NewPassword: NewPasswordSchema,
  Note: NoteSchema,
  NoteCreate: NoteCreateSchema,
  NotePage: NotePageSchema,
  NoteUpdate: NoteUpdateSchema,
  PasswordChange: PasswordChangeSchema,
  PersonName: PersonNameSchema,
  Polygon: PolygonSchema,
  PolygonFeature: PolygonFeatureSchema,
  PolygonFeatureCollection: PolygonFeatureCollectionSchema,
  PolygonImport: PolygonImportSchema,
  PolygonPage: PolygonPageSchema,
  PolygonWrite: PolygonWriteSchema,
  ProblemCode: ProblemCodeSchema,
  ProblemError: ProblemErrorSchema,
  Problem: ProblemSchema,
  Role: RoleSchema,
  User: UserSchema,
  Profile: ProfileSchema,
  Readiness: ReadinessSchema,
  RecoverPasswordRequest: RecoverPasswordRequestSchema,
  RefreshToken: RefreshTokenSchema,
  Region: RegionSchema,
  RegionPage: RegionPageSchema,
  RegionWrite: RegionWriteSchema,
  RegisterRequest: RegisterRequestSchema,
  Registration: RegistrationSchema,
  ResetPasswordRequest: ResetPasswordRequestSchema,
  ResultAccepted: ResultAcceptedSchema,
  ResultRequest: ResultRequestSchema,
  Session: SessionSchema,
  SessionPage: SessionPageSchema,
  SignedUploads: SignedUploadsSchema,
  TokenRequest: TokenRequestSchema,
  Tokens: TokensSchema,
  UploadsRequest: UploadsRequestSchema,
  UserCreate: UserCreateSchema,
  UserMeUpdate: UserMeUpdateSchema,
  UserPage: UserPageSchema,
  UserUpdate: UserUpdateSchema,
}
