// Generated from openapi/ by `npm run generate`. Do not edit.

import { z } from '@hono/zod-openapi'

import { anyOf, route, text, toBoolean, toNumber } from '../src/formats.ts'

import {
  ApiKeyCreateSchema,
  ApiKeyCreatedSchema,
  ApiKeyPageSchema,
  AreaFeatureCollectionSchema,
  AssignRequestSchema,
  AssignedSchema,
  AuditActionSchema,
  AuditEventPageSchema,
  BboxTextSchema,
  ClaimRequestSchema,
  ClaimsSchema,
  CursorSchema,
  EmailAcceptedSchema,
  EmailRequestSchema,
  HealthSchema,
  HeartbeatRequestSchema,
  HeartbeatSchema,
  IdSchema,
  ImageFormSchema,
  ImagePageSchema,
  ImageSchema,
  ImageUpdateSchema,
  ImageUploadCreatedSchema,
  ImageUploadSchema,
  JobCreateSchema,
  JobCreatedSchema,
  JobDownloadSchema,
  JobInputsSchema,
  JobLogPageSchema,
  JobPageSchema,
  JobPollSchema,
  JobRequestPageSchema,
  JobSchema,
  JobStatusSchema,
  JobTypeDescriptionSchema,
  JobTypePageSchema,
  JobTypeSchema,
  JwksSchema,
  LayerCompleteSchema,
  LayerNameSchema,
  LayerSchema,
  LayerUploadCreatedSchema,
  LayerUploadSchema,
  LogEntriesSchema,
  LoginRequestSchema,
  NoteCreateSchema,
  NotePageSchema,
  NoteSchema,
  NoteUpdateSchema,
  PasswordChangeSchema,
  PolygonFeatureCollectionSchema,
  PolygonFeatureSchema,
  PolygonImportSchema,
  PolygonPageSchema,
  PolygonSchema,
  PolygonWriteSchema,
  ProblemSchema,
  ProfileSchema,
  ReadinessSchema,
  RecoverPasswordRequestSchema,
  RegionNameSchema,
  RegionPageSchema,
  RegionSchema,
  RegionWriteSchema,
  RegisterRequestSchema,
  RegistrationSchema,
  ResetPasswordRequestSchema,
  ResultAcceptedSchema,
  ResultRequestSchema,
  RoleSchema,
  SessionPageSchema,
  SignedUploadsSchema,
  TokenRequestSchema,
  TokensSchema,
  UploadsRequestSchema,
  UserCreateSchema,
  UserMeUpdateSchema,
  UserPageSchema,
  UserSchema,
  UserUpdateSchema,
} from './schemas.ts'

const noQuery = z.strictObject({})

const RegistrationRefusedResponse = {
  description: 'The email is taken, or the request does not fit the contract.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'email-taken': {
          summary: 'Somebody has registered with this email',
          value: {
            type: 'https://fieldstation.example/problems/email-taken',
            title: 'User already exists',
            status: 400,
            detail: 'User already exists',
            code: 'email_taken',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'invalid-request': {
          summary: 'A body that does not fit',
          value: {
            type: 'https://fieldstation.example/problems/invalid-request',
            title: 'Invalid request',
            status: 400,
            detail: 'Needs at least 12 characters at /password',
            code: 'invalid_request',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
            errors: [{ pointer: '/password', detail: 'Needs at least 12 characters' }],
          },
        },
      },
    },
  },
}

const RegistrationClosedResponse = {
  description: 'The service takes no registrations.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/registration-closed',
        title: 'Registration is closed',
        status: 403,
        detail: 'Ask an administrator for an account.',
        code: 'registration_closed',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const TooManyAttemptsResponse = {
  description: 'Too many attempts. Try again after `Retry-After`.',
  headers: {
    'Retry-After': {
      description: 'Seconds after which to try again.',
      required: true,
      schema: { type: 'integer', minimum: 0 },
      example: 5,
    },
  },
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/too-many-attempts',
        title: 'Too many attempts',
        status: 429,
        detail: 'There were too many attempts. Try again in 900 s.',
        code: 'too_many_attempts',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const ServiceUnavailableResponse = {
  description: 'Something that this needs does not answer. Nothing was lost. Try again after `Retry-After`.',
  headers: {
    'Retry-After': {
      description: 'Seconds after which to try again.',
      required: true,
      schema: { type: 'integer', minimum: 0 },
      example: 5,
    },
  },
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/service-unavailable',
        title: 'Service unavailable',
        status: 503,
        detail: 'The database does not answer.',
        code: 'service_unavailable',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const ClientErrorResponse = {
  description: 'Another fault of the request, see `code`.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/payload-too-large',
        title: 'Payload too large',
        status: 413,
        detail: 'The body may have at most 1048576 bytes.',
        code: 'payload_too_large',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const ServerErrorResponse = {
  description: 'A fault of ours. The logs know it by `requestId`.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/internal',
        title: 'Internal error',
        status: 500,
        detail: 'Something went wrong on our side.',
        code: 'internal',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const InvalidRequestResponse = {
  description: 'The request does not fit the contract. `errors` points at each fault.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/invalid-request',
        title: 'Invalid request',
        status: 400,
        detail: 'Unknown: "page" at /query/page',
        code: 'invalid_request',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
        errors: [{ pointer: '/query/page', detail: 'Unknown: "page"' }],
      },
    },
  },
}

const InvalidCredentialsResponse = {
  description: 'Email or password are wrong.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/invalid-credentials',
        title: 'Invalid credentials',
        status: 401,
        detail: 'Invalid credentials',
        code: 'invalid_credentials',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const InvalidRefreshTokenResponse = {
  description: 'The refresh token is unknown, used up or expired.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/invalid-refresh-token',
        title: 'Invalid refresh token',
        status: 401,
        detail: 'Invalid refresh token',
        code: 'invalid_refresh_token',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const UnauthenticatedResponse = {
  description: 'Credentials are missing, wrong or expired.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/unauthenticated',
        title: 'Not signed in',
        status: 401,
        detail: 'Send a token or an API key.',
        code: 'unauthenticated',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const ForbiddenResponse = {
  description: 'The caller is known but may not do this.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'role-missing': {
          summary: 'The person lacks a role',
          value: {
            type: 'https://fieldstation.example/problems/forbidden',
            title: 'Not allowed',
            status: 403,
            detail: 'This needs the role ADMIN.',
            code: 'forbidden',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'scope-missing': {
          summary: 'The API key lacks a scope',
          value: {
            type: 'https://fieldstation.example/problems/insufficient-scope',
            title: 'Scope missing',
            status: 403,
            detail: 'This needs an API key with the scope jobs:write.',
            code: 'insufficient_scope',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
      },
    },
  },
}

const ResetRefusedResponse = {
  description: 'The token opens nothing, or the request does not fit the contract.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'invalid-reset-token': {
          summary: 'The token is wrong, used or too old',
          value: {
            type: 'https://fieldstation.example/problems/invalid-reset-token',
            title: 'Invalid reset token',
            status: 400,
            detail: 'This link has been used or has expired. Ask for another.',
            code: 'invalid_reset_token',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'invalid-request': {
          summary: 'A body that does not fit',
          value: {
            type: 'https://fieldstation.example/problems/invalid-request',
            title: 'Invalid request',
            status: 400,
            detail: 'Needs at least 12 characters at /password',
            code: 'invalid_request',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
            errors: [{ pointer: '/password', detail: 'Needs at least 12 characters' }],
          },
        },
      },
    },
  },
}

const LastAdminResponse = {
  description: 'Nobody would be an admin any more.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/last-admin',
        title: 'Last admin',
        status: 409,
        detail: 'This is the last admin. Make somebody else one first.',
        code: 'last_admin',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const ApiKeyNotFoundResponse = {
  description: 'The caller has no such API key.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/api-key-not-found',
        title: 'API key not found',
        status: 404,
        detail: 'There is no API key 019a8f00-0006-7000-8000-000000000006 to revoke.',
        code: 'api_key_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const PasswordChangeRefusedResponse = {
  description: "The present password is another, or the credentials are no person's.",
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'wrong-password': {
          summary: 'The present password is another',
          value: {
            type: 'https://fieldstation.example/problems/wrong-password',
            title: 'Wrong password',
            status: 403,
            detail: 'This is not your present password.',
            code: 'wrong_password',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        forbidden: {
          summary: "The credentials are no person's",
          value: {
            type: 'https://fieldstation.example/problems/forbidden',
            title: 'Not allowed',
            status: 403,
            detail: 'This needs a person who is signed in, not an API key.',
            code: 'forbidden',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
      },
    },
  },
}

const SessionNotFoundResponse = {
  description: 'The caller has no such session.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/session-not-found',
        title: 'Session not found',
        status: 404,
        detail: 'You have no session 019a8f00-000a-7000-8000-00000000000a.',
        code: 'session_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const UserNotFoundResponse = {
  description: 'There is no such person.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/user-not-found',
        title: 'Person not found',
        status: 404,
        detail: 'There is no person ben@reef.example.',
        code: 'user_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const UserApiKeyNotFoundResponse = {
  description: 'There is no such person, or they have no such API key.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'api-key-not-found': {
          summary: 'The person has no such API key',
          value: {
            type: 'https://fieldstation.example/problems/api-key-not-found',
            title: 'API key not found',
            status: 404,
            detail: 'There is no API key 019a8f00-0006-7000-8000-000000000006 to revoke.',
            code: 'api_key_not_found',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'user-not-found': {
          summary: 'There is no such person',
          value: {
            type: 'https://fieldstation.example/problems/user-not-found',
            title: 'Person not found',
            status: 404,
            detail: 'There is no person ben@reef.example.',
            code: 'user_not_found',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
      },
    },
  },
}

const NotModifiedResponse = {
  description: 'You have this very version.',
  headers: {
    ETag: {
      description:
        'Names this version of the resource, and the kind that you were sent. Send it back as `If-Match` to write, as `If-None-Match` to read.',
      required: true,
      schema: { type: 'string' },
      example: '"1"',
    },
  },
}

const PolygonNotFoundResponse = {
  description: 'There is no such polygon, or not for this caller.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/polygon-not-found',
        title: 'Polygon not found',
        status: 404,
        detail: 'There is no polygon 019a8f00-0002-7000-8000-000000000002 that you may see.',
        code: 'polygon_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const PreconditionFailedResponse = {
  description: 'The resource has changed since it was read.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/precondition-failed',
        title: 'Resource has changed',
        status: 412,
        detail: 'The polygon is at version "3" now.',
        code: 'precondition_failed',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const NoteNotFoundResponse = {
  description: 'There is no such note, or not for this caller.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/note-not-found',
        title: 'Note not found',
        status: 404,
        detail: 'There is no note 019a8f00-0010-7000-8000-000000000010 that you may see.',
        code: 'note_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const ImageTooLargeResponse = {
  description: 'The file is larger than this service takes.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/payload-too-large',
        title: 'Payload too large',
        status: 413,
        detail: 'An image may have at most 268435456 bytes.',
        code: 'payload_too_large',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const NoImageResponse = {
  description: 'The bytes are no image of a kind that is kept, or the request is no form.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/unsupported-media-type',
        title: 'Unsupported media type',
        status: 415,
        detail: 'The file is not an image: PNG, JPEG, WebP, GIF and TIFF are kept.',
        code: 'unsupported_media_type',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const ImageRefusedResponse = {
  description:
    'The file is an image, but damaged, something else besides, or far larger unpacked than it looks; or it should belong to what is not there.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'image-refused': {
          summary: 'The image is damaged',
          value: {
            type: 'https://fieldstation.example/problems/image-refused',
            title: 'Image refused',
            status: 422,
            detail: 'The image is damaged: it ends in the middle of a chunk.',
            code: 'image_refused',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'unresolved-reference': {
          summary: 'There is no such polygon',
          value: {
            type: 'https://fieldstation.example/problems/unresolved-reference',
            title: 'Unresolved reference',
            status: 422,
            detail: 'There is no polygon 019a8f00-0002-7000-8000-000000000002 that you may see.',
            code: 'unresolved_reference',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
            errors: [
              {
                pointer: '/polygonId',
                detail: 'There is no polygon 019a8f00-0002-7000-8000-000000000002 that you may see.',
              },
            ],
          },
        },
      },
    },
  },
}

const AttachmentUnknownResponse = {
  description: 'The image should belong to what is not there, or not for this caller.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'unresolved-reference': {
          summary: 'There is no such polygon',
          value: {
            type: 'https://fieldstation.example/problems/unresolved-reference',
            title: 'Unresolved reference',
            status: 422,
            detail: 'There is no polygon 019a8f00-0002-7000-8000-000000000002 that you may see.',
            code: 'unresolved_reference',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
            errors: [
              {
                pointer: '/polygonId',
                detail: 'There is no polygon 019a8f00-0002-7000-8000-000000000002 that you may see.',
              },
            ],
          },
        },
      },
    },
  },
}

const ImageNotFoundResponse = {
  description: 'There is no such image, or not for this caller.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/image-not-found',
        title: 'Image not found',
        status: 404,
        detail: 'There is no image 019a8f00-0011-7000-8000-000000000011 that you may see.',
        code: 'image_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const RangeNotSatisfiableResponse = {
  description: 'The range begins after the end.',
  headers: {
    'Content-Range': {
      description: 'How long the image is.',
      required: true,
      schema: { type: 'string' },
      example: 'bytes */48213',
    },
  },
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/range-not-satisfiable',
        title: 'Range not satisfiable',
        status: 416,
        detail: 'The image has 48213 bytes.',
        code: 'range_not_satisfiable',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const ImageUploadIncompleteResponse = {
  description: 'The file has not arrived.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/upload-incomplete',
        title: 'Upload incomplete',
        status: 409,
        detail: 'The file of image 019a8f00-0011-7000-8000-000000000011 has not arrived.',
        code: 'upload_incomplete',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const RegionNotFoundResponse = {
  description: 'There is no such region.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/region-not-found',
        title: 'Region not found',
        status: 404,
        detail: 'There is no region named lizard-island.',
        code: 'region_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const LayerNotFoundResponse = {
  description: 'There is no such layer, or no such version of it.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/layer-not-found',
        title: 'Layer not found',
        status: 404,
        detail: 'The region lizard-island has no such version of a layer named depth.',
        code: 'layer_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const UploadIncompleteResponse = {
  description: 'The file has not arrived.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/upload-incomplete',
        title: 'Upload incomplete',
        status: 409,
        detail: 'The file of version 1 has not arrived.',
        code: 'upload_incomplete',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const JobTypeNotFoundResponse = {
  description: 'There is no such job type.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/job-type-not-found',
        title: 'Job type not found',
        status: 404,
        detail: 'There is no job type "TIDES".',
        code: 'job_type_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const JobForbiddenResponse = {
  description: 'The caller is known but may not start this job.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'scope-missing': {
          summary: 'The API key lacks a scope',
          value: {
            type: 'https://fieldstation.example/problems/insufficient-scope',
            title: 'Scope missing',
            status: 403,
            detail: 'This needs an API key with the scope jobs:write.',
            code: 'insufficient_scope',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'priority-reserved': {
          summary: 'A priority that is for admins',
          value: {
            type: 'https://fieldstation.example/problems/priority-reserved',
            title: 'Priority is for admins',
            status: 403,
            detail: 'The priority HIGH is for admins.',
            code: 'priority_reserved',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
      },
    },
  },
}

const IdempotencyInProgressResponse = {
  description: 'The first request with this `Idempotency-Key` is still under way.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/idempotency-in-progress',
        title: 'Request under way',
        status: 409,
        detail: 'The first request with this key is still under way.',
        code: 'idempotency_in_progress',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const UnprocessableResponse = {
  description: 'The request is well formed but cannot be carried out as it stands.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'unresolved-reference': {
          summary: 'The input refers to something that is not there',
          value: {
            type: 'https://fieldstation.example/problems/unresolved-reference',
            title: 'Unresolved reference',
            status: 422,
            detail: 'There is no layer "rugosity"; there is: depth.',
            code: 'unresolved_reference',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
            errors: [
              { pointer: '/inputPayload/criteria/rugosity', detail: 'There is no layer "rugosity"; there is: depth.' },
            ],
          },
        },
        'idempotency-mismatch': {
          summary: 'The key was used with another body',
          value: {
            type: 'https://fieldstation.example/problems/idempotency-mismatch',
            title: 'Idempotency key used for another request',
            status: 422,
            detail: 'This key was used for another request.',
            code: 'idempotency_mismatch',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
      },
    },
  },
}

const TooManyRequestsResponse = {
  description: 'Too much at once. Try again after `Retry-After`.',
  headers: {
    'Retry-After': {
      description: 'Seconds after which to try again.',
      required: true,
      schema: { type: 'integer', minimum: 0 },
      example: 5,
    },
  },
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/too-many-active-jobs',
        title: 'Too many active jobs',
        status: 429,
        detail: 'You have 1000 unfinished jobs. Wait for some to finish.',
        code: 'too_many_active_jobs',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const JobNotFoundResponse = {
  description: 'There is no such job, or not for this caller.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/job-not-found',
        title: 'Job not found',
        status: 404,
        detail: 'There is no job 019a8f00-0003-7000-8000-000000000003 that you may see.',
        code: 'job_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const JobFinishedResponse = {
  description: 'The job is final.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/job-finished',
        title: 'Job finished',
        status: 409,
        detail: 'The job is SUCCEEDED. What is final cannot change.',
        code: 'job_finished',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const JobNotSucceededResponse = {
  description: 'The job has no result, or not yet.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/job-not-succeeded',
        title: 'Job has no result',
        status: 409,
        detail: 'The job is IN_PROGRESS and has no result.',
        code: 'job_not_succeeded',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const JobNotAvailableResponse = {
  description: 'The job is not free to be taken.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/job-not-available',
        title: 'Job not available',
        status: 409,
        detail: 'The job is IN_PROGRESS and cannot be taken.',
        code: 'job_not_available',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const AssignmentNotFoundResponse = {
  description: 'There is no such assignment, or not for this caller.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      example: {
        type: 'https://fieldstation.example/problems/assignment-not-found',
        title: 'Assignment not found',
        status: 404,
        detail: 'There is no assignment 019a8f00-0005-7000-8000-000000000005 that you hold.',
        code: 'assignment_not_found',
        requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
      },
    },
  },
}

const AssignmentLostResponse = {
  description:
    'The assignment is over: its lease expired, or its job was cancelled (`job_cancelled`). Stop working on it.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'assignment-lost': {
          summary: 'The lease ran out',
          value: {
            type: 'https://fieldstation.example/problems/assignment-lost',
            title: 'Assignment lost',
            status: 409,
            detail: 'The lease of this assignment has run out.',
            code: 'assignment_lost',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'job-cancelled': {
          summary: 'The job was cancelled',
          value: {
            type: 'https://fieldstation.example/problems/job-cancelled',
            title: 'Job cancelled',
            status: 409,
            detail: 'The job was cancelled. Stop working on it.',
            code: 'job_cancelled',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
      },
    },
  },
}

const UploadRefusedResponse = {
  description: 'The assignment is over, or a file was declared differently before.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'assignment-lost': {
          summary: 'The lease ran out',
          value: {
            type: 'https://fieldstation.example/problems/assignment-lost',
            title: 'Assignment lost',
            status: 409,
            detail: 'The lease of this assignment has run out.',
            code: 'assignment_lost',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'job-cancelled': {
          summary: 'The job was cancelled',
          value: {
            type: 'https://fieldstation.example/problems/job-cancelled',
            title: 'Job cancelled',
            status: 409,
            detail: 'The job was cancelled. Stop working on it.',
            code: 'job_cancelled',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'file-conflict': {
          summary: 'The file was declared differently before',
          value: {
            type: 'https://fieldstation.example/problems/file-conflict',
            title: 'File declared differently',
            status: 409,
            detail: 'sites.geojson was declared with another size, checksum or type.',
            code: 'file_conflict',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
      },
    },
  },
}

const ResultRefusedResponse = {
  description: 'The assignment is over, another result was reported before, or declared files have not arrived.',
  content: {
    'application/problem+json': {
      schema: ProblemSchema,
      examples: {
        'assignment-lost': {
          summary: 'The lease ran out',
          value: {
            type: 'https://fieldstation.example/problems/assignment-lost',
            title: 'Assignment lost',
            status: 409,
            detail: 'The lease of this assignment has run out.',
            code: 'assignment_lost',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'job-cancelled': {
          summary: 'The job was cancelled',
          value: {
            type: 'https://fieldstation.example/problems/job-cancelled',
            title: 'Job cancelled',
            status: 409,
            detail: 'The job was cancelled. Stop working on it.',
            code: 'job_cancelled',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'upload-incomplete': {
          summary: 'Declared files have not arrived',
          value: {
            type: 'https://fieldstation.example/problems/upload-incomplete',
            title: 'Upload incomplete',
            status: 409,
            detail: 'These files were declared and have not arrived: sites.geojson.',
            code: 'upload_incomplete',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
        'result-conflict': {
          summary: 'Another result was reported before',
          value: {
            type: 'https://fieldstation.example/problems/result-conflict',
            title: 'Another result was reported',
            status: 409,
            detail: 'This assignment was reported as SUCCEEDED already.',
            code: 'result_conflict',
            requestId: '5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c',
          },
        },
      },
    },
  },
}

export const getResetPasswordPage = route({
  method: 'get',
  path: '/reset-password',
  operationId: 'getResetPasswordPage',
  summary: 'Set a new password, as a page',
  description:
    'Where the link of a recovery mail leads, unless `PASSWORD_RESET_URL` names a page of your own. The token is in the address after `#`,\nwhich browsers keep to themselves.\n',
  tags: ['Auth'],
  security: anyOf(),
  request: { query: noQuery },
  responses: {
    '200': {
      description: 'The page.',
      headers: {
        'Content-Security-Policy': {
          description: 'What the page may do. It runs its own script and reaches this service alone.',
          required: true,
          schema: { type: 'string' },
          example: "default-src 'none'; script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        },
      },
      content: { 'text/html': { schema: z.string(), example: '<!doctype html><title>Set a new password</title>' } },
    },
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getReadiness = route({
  method: 'get',
  path: '/readyz',
  operationId: 'getReadiness',
  'x-sdk': 'system.ready',
  summary: 'Ask whether the service is ready',
  description: 'Asks the database and the object store.\n',
  tags: ['System'],
  security: anyOf(),
  request: { query: noQuery },
  responses: {
    '200': {
      description: 'It is.',
      content: {
        'application/json': {
          schema: ReadinessSchema,
          example: { status: 'ok', checks: { database: 'ok', store: 'ok' } },
        },
      },
    },
    '503': {
      description: 'It is not.',
      headers: {
        'Retry-After': {
          description: 'Seconds after which to try again.',
          required: true,
          schema: { type: 'integer', minimum: 0 },
          example: 5,
        },
      },
      content: {
        'application/json': {
          schema: ReadinessSchema,
          example: { status: 'unavailable', checks: { database: 'unavailable', store: 'ok' } },
        },
      },
    },
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getContract = route({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getContract',
  'x-sdk': 'system.contract',
  summary: 'Get this contract',
  description: 'The OpenAPI document that all of this is made from.\n',
  tags: ['System'],
  security: anyOf(),
  request: { query: noQuery },
  responses: {
    '200': {
      description: 'The contract.',
      content: {
        'application/json': {
          schema: z.looseObject({}),
          example: { openapi: '3.0.3', info: { title: 'Fieldstation API', version: '0.1.0' }, paths: {} },
        },
      },
    },
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getLiveness = route({
  method: 'get',
  path: '/livez',
  operationId: 'getLiveness',
  'x-sdk': 'system.live',
  summary: 'Ask whether the process lives',
  description: 'Asks nothing else.\n',
  tags: ['System'],
  security: anyOf(),
  request: { query: noQuery },
  responses: {
    '200': {
      description: 'It does.',
      content: { 'application/json': { schema: HealthSchema, example: { status: 'ok' } } },
    },
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getDocs = route({
  method: 'get',
  path: '/docs',
  operationId: 'getDocs',
  summary: 'Read the documentation',
  description: 'A page for people, made from this contract. It loads nothing from anywhere.\n',
  tags: ['System'],
  security: anyOf(),
  request: {
    query: noQuery,
    headers: z.object({
      get 'If-None-Match'() {
        return text({ minLength: 1, maxLength: 1000 })
          .optional()
          .openapi({
            param: {
              name: 'If-None-Match',
              in: 'header',
              description: 'The `ETag` of the page that you have. While it is the same, it is not sent again.',
              example: 'W/"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="',
            },
          } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'The page.',
      headers: {
        ETag: {
          description: 'Names this version of the page. Send it back as `If-None-Match`.',
          required: true,
          schema: { type: 'string' },
          example: 'W/"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="',
        },
        'Cache-Control': {
          description: 'Keep the page, and ask each time whether it is still the same.',
          required: true,
          schema: { type: 'string' },
          example: 'no-cache',
        },
        'Content-Security-Policy': {
          description: 'What the page may do. It runs its own scripts and reaches nobody.',
          required: true,
          schema: { type: 'string' },
          example: "default-src 'none'; script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        },
      },
      content: { 'text/html': { schema: z.string(), example: '<!doctype html><title>Fieldstation API</title>' } },
    },
    '304': {
      description: 'You have this very page.',
      headers: {
        ETag: {
          description: 'Names this version of the page. Send it back as `If-None-Match`.',
          required: true,
          schema: { type: 'string' },
          example: 'W/"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="',
        },
        'Cache-Control': {
          description: 'Keep the page, and ask each time whether it is still the same.',
          required: true,
          schema: { type: 'string' },
          example: 'no-cache',
        },
        'Content-Security-Policy': {
          description: 'What the page may do. It runs its own scripts and reaches nobody.',
          required: true,
          schema: { type: 'string' },
          example: "default-src 'none'; script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        },
      },
    },
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteSession = route({
  method: 'delete',
  path: '/api/users/me/sessions/{sessionId}',
  operationId: 'deleteSession',
  'x-sdk': 'users.deleteSession',
  summary: 'End one of my sessions',
  description: 'Its access token stops working at once, or within 30 seconds where several processes serve.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: {
    params: z.object({
      get sessionId() {
        return IdSchema.openapi({
          param: {
            name: 'sessionId',
            in: 'path',
            required: true,
            description: "The session's id.",
            example: '019a8f00-000a-7000-8000-00000000000a',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '204': { description: 'The session is over.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': SessionNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listSessions = route({
  method: 'get',
  path: '/api/users/me/sessions',
  operationId: 'listSessions',
  'x-sdk': 'users.listSessions',
  summary: 'List my sessions',
  description: 'Where I am signed in, newest first. Sessions that are over are gone.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: {
    query: z.strictObject({
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of sessions.',
      content: {
        'application/json': {
          schema: SessionPageSchema,
          examples: {
            usual: {
              summary: 'One session',
              value: {
                items: [
                  {
                    id: '019a8f00-000a-7000-8000-00000000000a',
                    createdAt: '2026-03-02T21:14:06.000Z',
                    lastUsedAt: '2026-03-02T22:14:01.500Z',
                    expiresAt: '2026-04-01T22:14:01.500Z',
                    isCurrent: true,
                    address: '203.0.113.7',
                  },
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const changePassword = route({
  method: 'put',
  path: '/api/users/me/password',
  operationId: 'changePassword',
  'x-sdk': 'users.changePassword',
  summary: 'Change my password',
  description: 'Asks for the present one. Ends all my other sessions, and tells me by mail.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: PasswordChangeSchema,
          example: { currentPassword: 'slow-tides-carry-sand', newPassword: 'quiet-lagoons-hold-rain' },
        },
      },
    },
  },
  responses: {
    '204': { description: 'The password is changed.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': PasswordChangeRefusedResponse,
    '429': TooManyAttemptsResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteApiKey = route({
  method: 'delete',
  path: '/api/users/me/api-keys/{apiKeyId}',
  operationId: 'deleteApiKey',
  'x-sdk': 'users.deleteApiKey',
  summary: 'Revoke an API key',
  description: 'It stops working at once, or within 30 seconds where several processes serve.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: {
    params: z.object({
      get apiKeyId() {
        return IdSchema.openapi({
          param: {
            name: 'apiKeyId',
            in: 'path',
            required: true,
            description: "The API key's id.",
            example: '019a8f00-0006-7000-8000-000000000006',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '204': { description: 'Revoked.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': ApiKeyNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listApiKeys = route({
  method: 'get',
  path: '/api/users/me/api-keys',
  operationId: 'listApiKeys',
  'x-sdk': 'users.listApiKeys',
  summary: 'List my API keys',
  description: 'Newest first, without the keys themselves. Revoked and expired keys are gone.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: {
    query: z.strictObject({
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of keys.',
      content: {
        'application/json': {
          schema: ApiKeyPageSchema,
          examples: {
            usual: {
              summary: 'One key',
              value: {
                items: [
                  {
                    id: '019a8f00-0006-7000-8000-000000000006',
                    name: 'Cluster worker',
                    scopes: ['jobs:work'],
                    prefix: 'fs_4kQ9',
                    createdAt: '2026-03-02T21:20:00.000Z',
                    lastUsedAt: '2026-03-02T21:41:00.000Z',
                  },
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createApiKey = route({
  method: 'post',
  path: '/api/users/me/api-keys',
  operationId: 'createApiKey',
  'x-sdk': 'users.createApiKey',
  summary: 'Create an API key',
  description:
    'The answer holds the key, this once. The scope `jobs:work` can be given by people with the role WORKER or ADMIN alone, `regions:write` and\n`email:send` by admins alone. A key never has the rights of an admin beyond its scopes.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': { schema: ApiKeyCreateSchema, example: { name: 'Cluster worker', scopes: ['jobs:work'] } },
      },
    },
  },
  responses: {
    '201': {
      description: 'The key exists.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/users/me/api-keys',
        },
      },
      content: {
        'application/json': {
          schema: ApiKeyCreatedSchema,
          example: {
            id: '019a8f00-0006-7000-8000-000000000006',
            name: 'Cluster worker',
            scopes: ['jobs:work'],
            prefix: 'fs_4kQ9',
            createdAt: '2026-03-02T21:20:00.000Z',
            key: 'fs_4kQ9mB0Zc1pXw7Tt2hVfYl8sUe3nRj6aDgKi5oCqHLM',
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getMe = route({
  method: 'get',
  path: '/api/users/me',
  operationId: 'getMe',
  'x-sdk': 'users.me',
  summary: 'Show me',
  description: 'Gives the person behind the credentials.\n',
  tags: ['Users'],
  'x-scopes': [],
  security: anyOf('bearerAuth', 'apiKey'),
  request: { query: noQuery },
  responses: {
    '200': {
      description: 'The person.',
      content: {
        'application/json': {
          schema: UserSchema,
          examples: {
            worker: {
              summary: 'She may also run workers',
              value: {
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
            user: {
              summary: 'She has the rights of everyone',
              value: {
                id: '019a8f00-0001-7000-8000-000000000001',
                email: 'ana@reef.example',
                name: 'Ana Torres',
                roles: ['USER'],
                isInMailingList: false,
                isPluginUser: false,
                wantsJobMail: true,
                createdAt: '2026-03-02T21:14:05.120Z',
                updatedAt: '2026-03-02T21:16:40.000Z',
              },
            },
            admin: {
              summary: 'She is an admin',
              value: {
                id: '019a8f00-0001-7000-8000-000000000001',
                email: 'ana@reef.example',
                name: 'Ana Torres',
                roles: ['USER', 'ADMIN'],
                isInMailingList: false,
                isPluginUser: false,
                wantsJobMail: true,
                createdAt: '2026-03-02T21:14:05.120Z',
                updatedAt: '2026-03-02T21:16:40.000Z',
              },
            },
          },
        },
      },
    },
    '401': UnauthenticatedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const updateMe = route({
  method: 'patch',
  path: '/api/users/me',
  operationId: 'updateMe',
  'x-sdk': 'users.updateMe',
  summary: 'Change me',
  description: 'Changes what a person may change of themselves.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': { schema: UserMeUpdateSchema, example: { name: 'Ana Torres-Vega', wantsJobMail: true } },
      },
    },
  },
  responses: {
    '200': {
      description: 'The person as they are now.',
      content: {
        'application/json': {
          schema: UserSchema,
          example: {
            id: '019a8f00-0001-7000-8000-000000000001',
            email: 'ana@reef.example',
            name: 'Ana Torres-Vega',
            roles: ['USER', 'WORKER'],
            isInMailingList: false,
            isPluginUser: false,
            wantsJobMail: true,
            createdAt: '2026-03-02T21:14:05.120Z',
            updatedAt: '2026-03-02T22:05:00.000Z',
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteMe = route({
  method: 'delete',
  path: '/api/users/me',
  operationId: 'deleteMe',
  'x-sdk': 'users.deleteMe',
  summary: 'Delete me',
  description:
    'Ends my sessions and API keys, withdraws my wishes for jobs that are not over, and frees my email. My polygons and what my jobs made stay, for\nadmins. The last admin cannot go.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: { query: noQuery },
  responses: {
    '204': { description: 'The account is gone.' },
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '409': LastAdminResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const recoverUserPassword = route({
  method: 'post',
  path: '/api/users/{userId}/recover-password',
  operationId: 'recoverUserPassword',
  'x-sdk': 'users.recoverPassword',
  summary: 'Send a person a way back in',
  description:
    'The same as asking for it oneself, by id or email. The answer is the same whether there is such an account or not.\n',
  tags: ['Users'],
  security: anyOf(),
  request: {
    params: z.object({
      get userId() {
        return text({ minLength: 3, maxLength: 254 }).openapi({
          param: {
            name: 'userId',
            in: 'path',
            required: true,
            description: "The person's id, or their email.",
            example: '019a8f00-0001-7000-8000-000000000001',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '202': { description: 'Taken. A mail is on its way if there is such an account.' },
    '400': InvalidRequestResponse,
    '429': TooManyAttemptsResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteUserApiKey = route({
  method: 'delete',
  path: '/api/users/{userId}/api-keys/{apiKeyId}',
  operationId: 'deleteUserApiKey',
  'x-sdk': 'users.deleteApiKeyOf',
  summary: "Revoke a person's API key",
  description: 'It stops working at once, or within 30 seconds where several processes serve.\n',
  tags: ['Users'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth'),
  request: {
    params: z.object({
      get userId() {
        return text({ minLength: 3, maxLength: 254 }).openapi({
          param: {
            name: 'userId',
            in: 'path',
            required: true,
            description: "The person's id, or their email.",
            example: '019a8f00-0001-7000-8000-000000000001',
          },
        } as never)
      },
      get apiKeyId() {
        return IdSchema.openapi({
          param: {
            name: 'apiKeyId',
            in: 'path',
            required: true,
            description: "The API key's id.",
            example: '019a8f00-0006-7000-8000-000000000006',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '204': { description: 'The key is revoked.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': UserApiKeyNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listUserApiKeys = route({
  method: 'get',
  path: '/api/users/{userId}/api-keys',
  operationId: 'listUserApiKeys',
  'x-sdk': 'users.listApiKeysOf',
  summary: "List a person's API keys",
  description: 'Newest first, without the keys themselves. Revoked and expired keys are gone.\n',
  tags: ['Users'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth'),
  request: {
    params: z.object({
      get userId() {
        return text({ minLength: 3, maxLength: 254 }).openapi({
          param: {
            name: 'userId',
            in: 'path',
            required: true,
            description: "The person's id, or their email.",
            example: '019a8f00-0001-7000-8000-000000000001',
          },
        } as never)
      },
    }),
    query: z.strictObject({
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of keys.',
      content: {
        'application/json': {
          schema: ApiKeyPageSchema,
          examples: {
            usual: {
              summary: 'One key',
              value: {
                items: [
                  {
                    id: '019a8f00-0006-7000-8000-000000000006',
                    name: 'Cluster worker',
                    scopes: ['jobs:work'],
                    prefix: 'fs_4kQ9',
                    createdAt: '2026-03-02T21:20:00.000Z',
                    lastUsedAt: '2026-03-02T21:41:00.000Z',
                  },
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': UserNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getUser = route({
  method: 'get',
  path: '/api/users/{userId}',
  operationId: 'getUser',
  'x-sdk': 'users.get',
  summary: 'Show a person',
  description: 'By id, or by email. A person may look at themselves; an admin at everyone.\n',
  tags: ['Users'],
  security: anyOf('bearerAuth'),
  request: {
    params: z.object({
      get userId() {
        return text({ minLength: 3, maxLength: 254 }).openapi({
          param: {
            name: 'userId',
            in: 'path',
            required: true,
            description: "The person's id, or their email.",
            example: '019a8f00-0001-7000-8000-000000000001',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '200': {
      description: 'The person.',
      content: {
        'application/json': {
          schema: UserSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': UserNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const updateUser = route({
  method: 'patch',
  path: '/api/users/{userId}',
  operationId: 'updateUser',
  'x-sdk': 'users.update',
  summary: 'Change a person',
  description: "Roles are given and taken by admins alone; USER is everyone's. The last admin stays one.\n",
  tags: ['Users'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth'),
  request: {
    params: z.object({
      get userId() {
        return text({ minLength: 3, maxLength: 254 }).openapi({
          param: {
            name: 'userId',
            in: 'path',
            required: true,
            description: "The person's id, or their email.",
            example: '019a8f00-0001-7000-8000-000000000001',
          },
        } as never)
      },
    }),
    query: noQuery,
    body: {
      required: true,
      content: { 'application/json': { schema: UserUpdateSchema, example: { roles: ['USER', 'WORKER'] } } },
    },
  },
  responses: {
    '200': {
      description: 'The person as they are now.',
      content: {
        'application/json': {
          schema: UserSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': UserNotFoundResponse,
    '409': LastAdminResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteUser = route({
  method: 'delete',
  path: '/api/users/{userId}',
  operationId: 'deleteUser',
  'x-sdk': 'users.delete',
  summary: 'Delete a person',
  description:
    'Ends their sessions and API keys, withdraws their wishes for jobs that are not over, and frees their email. Their polygons and what their jobs\nmade stay, for admins. The last admin cannot be deleted.\n',
  tags: ['Users'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth'),
  request: {
    params: z.object({
      get userId() {
        return text({ minLength: 3, maxLength: 254 }).openapi({
          param: {
            name: 'userId',
            in: 'path',
            required: true,
            description: "The person's id, or their email.",
            example: '019a8f00-0001-7000-8000-000000000001',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '204': { description: 'The person is gone.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': UserNotFoundResponse,
    '409': LastAdminResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listUsers = route({
  method: 'get',
  path: '/api/users',
  operationId: 'listUsers',
  'x-sdk': 'users.list',
  summary: 'List people',
  description: 'Newest first, without those who are deleted.\n',
  tags: ['Users'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth'),
  request: {
    query: z.strictObject({
      get email() {
        return text({ minLength: 1, maxLength: 254 })
          .optional()
          .openapi({
            param: {
              name: 'email',
              in: 'query',
              description: 'People whose email begins so, in whatever case.',
              example: 'ana@',
            },
          } as never)
      },
      get role() {
        return RoleSchema.optional().openapi({
          param: { name: 'role', in: 'query', description: 'People with this role.' },
        } as never)
      },
      get createdAfter() {
        return text({ format: 'date-time' })
          .optional()
          .openapi({
            param: {
              name: 'createdAfter',
              in: 'query',
              description: 'People whose account was made after this instant.',
              example: '2026-03-01T00:00:00.000Z',
            },
          } as never)
      },
      get createdBefore() {
        return text({ format: 'date-time' })
          .optional()
          .openapi({
            param: {
              name: 'createdBefore',
              in: 'query',
              description: 'People whose account was made before this instant.',
              example: '2026-04-01T00:00:00.000Z',
            },
          } as never)
      },
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of people.',
      content: {
        'application/json': {
          schema: UserPageSchema,
          examples: {
            usual: {
              summary: 'One person',
              value: {
                items: [
                  {
                    id: '019a8f00-0001-7000-8000-000000000001',
                    email: 'ana@reef.example',
                    name: 'Ana Torres',
                    roles: ['USER'],
                    isInMailingList: false,
                    isPluginUser: false,
                    wantsJobMail: true,
                    createdAt: '2026-03-02T21:14:05.120Z',
                    updatedAt: '2026-03-02T21:14:05.120Z',
                  },
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createUser = route({
  method: 'post',
  path: '/api/users',
  operationId: 'createUser',
  'x-sdk': 'users.create',
  summary: 'Create a person',
  description:
    'Without a `password` the person gets a mail with a link that sets one. Welcomes them by mail either way.\n',
  tags: ['Users'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: UserCreateSchema,
          example: { email: 'ana@reef.example', name: 'Ana Torres', roles: ['USER', 'WORKER'] },
        },
      },
    },
  },
  responses: {
    '201': {
      description: 'The account exists.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/users/019a8f00-0001-7000-8000-000000000001',
        },
      },
      content: {
        'application/json': {
          schema: UserSchema,
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
        },
      },
    },
    '400': RegistrationRefusedResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createLayerUpload = route({
  method: 'post',
  path: '/api/regions/{region}/layers/{layer}/uploads',
  operationId: 'createLayerUpload',
  'x-sdk': 'regions.createLayerUpload',
  summary: 'Start a new version of a layer',
  description:
    'Gives a signed URL for a single-band GeoTIFF of exactly this size and checksum. Send the file there, then complete the version.\n',
  tags: ['Regions'],
  'x-scopes': ['regions:write'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get region() {
        return RegionNameSchema.openapi({
          param: {
            name: 'region',
            in: 'path',
            required: true,
            description: "The region's name.",
            example: 'lizard-island',
          },
        } as never)
      },
      get layer() {
        return LayerNameSchema.openapi({
          param: { name: 'layer', in: 'path', required: true, description: "The layer's name.", example: 'depth' },
        } as never)
      },
    }),
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: LayerUploadSchema,
          example: {
            sizeBytes: 16571700,
            sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
            contentType: 'image/tiff',
          },
        },
      },
    },
  },
  responses: {
    '201': {
      description: 'The version awaits its file.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/regions/lizard-island',
        },
      },
      content: {
        'application/json': {
          schema: LayerUploadCreatedSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': RegionNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const completeLayer = route({
  method: 'post',
  path: '/api/regions/{region}/layers/{layer}/complete',
  operationId: 'completeLayer',
  'x-sdk': 'regions.completeLayer',
  summary: 'Complete a version of a layer',
  description:
    'Starts the job that inspects the file. The version becomes READY, or REJECTED with the reason. Completing it again answers the same.\n',
  tags: ['Regions'],
  'x-scopes': ['regions:write'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get region() {
        return RegionNameSchema.openapi({
          param: {
            name: 'region',
            in: 'path',
            required: true,
            description: "The region's name.",
            example: 'lizard-island',
          },
        } as never)
      },
      get layer() {
        return LayerNameSchema.openapi({
          param: { name: 'layer', in: 'path', required: true, description: "The layer's name.", example: 'depth' },
        } as never)
      },
    }),
    query: noQuery,
    body: { required: true, content: { 'application/json': { schema: LayerCompleteSchema, example: { version: 1 } } } },
  },
  responses: {
    '202': {
      description: 'The inspection is under way.',
      content: {
        'application/json': {
          schema: LayerSchema,
          example: {
            name: 'depth',
            version: 1,
            status: 'INSPECTING',
            sizeBytes: 16571700,
            inspectionJobId: '019a8f00-0007-7000-8000-000000000007',
            createdAt: '2026-03-01T04:00:00.000Z',
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': LayerNotFoundResponse,
    '409': UploadIncompleteResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteLayer = route({
  method: 'delete',
  path: '/api/regions/{region}/layers/{layer}',
  operationId: 'deleteLayer',
  'x-sdk': 'regions.deleteLayer',
  summary: 'Delete a layer',
  description: 'Deletes every version of the layer. Jobs that are under way still find what they read.\n',
  tags: ['Regions'],
  'x-scopes': ['regions:write'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get region() {
        return RegionNameSchema.openapi({
          param: {
            name: 'region',
            in: 'path',
            required: true,
            description: "The region's name.",
            example: 'lizard-island',
          },
        } as never)
      },
      get layer() {
        return LayerNameSchema.openapi({
          param: { name: 'layer', in: 'path', required: true, description: "The layer's name.", example: 'depth' },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '204': { description: 'Deleted.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': LayerNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getRegion = route({
  method: 'get',
  path: '/api/regions/{region}',
  operationId: 'getRegion',
  'x-sdk': 'regions.get',
  summary: 'Show a region',
  description: 'With its layers.\n',
  tags: ['Regions'],
  'x-scopes': ['regions:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get region() {
        return RegionNameSchema.openapi({
          param: {
            name: 'region',
            in: 'path',
            required: true,
            description: "The region's name.",
            example: 'lizard-island',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '200': {
      description: 'The region.',
      content: {
        'application/json': {
          schema: RegionSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': RegionNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const putRegion = route({
  method: 'put',
  path: '/api/regions/{region}',
  operationId: 'putRegion',
  'x-sdk': 'regions.put',
  summary: 'Write a region',
  description: 'Creates the region or replaces what describes it. Its layers stay as they are.\n',
  tags: ['Regions'],
  'x-scopes': ['regions:write'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get region() {
        return RegionNameSchema.openapi({
          param: {
            name: 'region',
            in: 'path',
            required: true,
            description: "The region's name.",
            example: 'lizard-island',
          },
        } as never)
      },
    }),
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: RegionWriteSchema,
          example: { title: 'Lizard Island', description: 'The reef slope around Lizard Island.' },
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'The region as it is now.',
      content: {
        'application/json': {
          schema: RegionSchema,
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
        },
      },
    },
    '201': {
      description: 'The region exists.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/regions/lizard-island',
        },
      },
      content: {
        'application/json': {
          schema: RegionSchema,
          example: {
            name: 'lizard-island',
            title: 'Lizard Island',
            description: 'The reef slope around Lizard Island.',
            layers: [],
            createdAt: '2026-03-01T03:58:00.000Z',
            updatedAt: '2026-03-01T03:58:00.000Z',
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteRegion = route({
  method: 'delete',
  path: '/api/regions/{region}',
  operationId: 'deleteRegion',
  'x-sdk': 'regions.delete',
  summary: 'Delete a region',
  description: 'Deletes the region and its layers. Jobs that are under way still find what they read.\n',
  tags: ['Regions'],
  'x-scopes': ['regions:write'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get region() {
        return RegionNameSchema.openapi({
          param: {
            name: 'region',
            in: 'path',
            required: true,
            description: "The region's name.",
            example: 'lizard-island',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '204': { description: 'Deleted.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': RegionNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listRegions = route({
  method: 'get',
  path: '/api/regions',
  operationId: 'listRegions',
  'x-sdk': 'regions.list',
  summary: 'List regions',
  description: 'By name.\n',
  tags: ['Regions'],
  'x-scopes': ['regions:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: z.strictObject({
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of regions.',
      content: {
        'application/json': {
          schema: RegionPageSchema,
          examples: {
            usual: {
              summary: 'One region',
              value: {
                items: [
                  {
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
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const importPolygons = route({
  method: 'post',
  path: '/api/polygons/import',
  operationId: 'importPolygons',
  'x-sdk': 'polygons.import',
  summary: 'Import polygons',
  description:
    "Makes a polygon of each feature of a FeatureCollection, all or none: everything that is wrong is pointed at, feature by\nfeature, up to a hundred faults.\nProperties are kept; `name` and `description` among them become the polygon's, where they are text, or a number for a name.\n",
  tags: ['Polygons'],
  'x-scopes': ['polygons:write'],
  'x-large-body': true,
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: z.strictObject({
      get nameProperty() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'nameProperty',
              in: 'query',
              description: 'The property that holds the names, where that is not `name`.',
              example: 'name',
            },
          } as never)
      },
    }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: AreaFeatureCollectionSchema,
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
        },
      },
    },
  },
  responses: {
    '201': {
      description: 'All of them exist.',
      content: {
        'application/json': {
          schema: PolygonImportSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listPolygonNotes = route({
  method: 'get',
  path: '/api/polygons/{polygonId}/notes',
  operationId: 'listPolygonNotes',
  'x-sdk': 'notes.listByPolygon',
  summary: 'List the notes of a polygon',
  description: "Whoever wrote them, newest first. For the polygon's owner and for admins.\n",
  tags: ['Notes'],
  'x-scopes': ['notes:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get polygonId() {
        return IdSchema.openapi({
          param: {
            name: 'polygonId',
            in: 'path',
            required: true,
            description: "The polygon's id.",
            example: '019a8f00-0002-7000-8000-000000000002',
          },
        } as never)
      },
    }),
    query: z.strictObject({
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of notes.',
      content: {
        'application/json': {
          schema: NotePageSchema,
          examples: {
            usual: {
              summary: 'One note',
              value: {
                items: [
                  {
                    id: '019a8f00-0010-7000-8000-000000000010',
                    userId: '019a8f00-0001-7000-8000-000000000001',
                    polygonId: '019a8f00-0002-7000-8000-000000000002',
                    content: 'Bleaching on the western edge; come back after the next full moon.',
                    createdAt: '2026-03-02T21:36:00.000Z',
                    updatedAt: '2026-03-02T21:36:00.000Z',
                  },
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': PolygonNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getPolygon = route({
  method: 'get',
  path: '/api/polygons/{polygonId}',
  operationId: 'getPolygon',
  'x-sdk': 'polygons.get',
  summary: 'Show a polygon',
  description: 'For its owner and for admins. With `Accept: application/geo+json` as a Feature.\n',
  tags: ['Polygons'],
  'x-scopes': ['polygons:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get polygonId() {
        return IdSchema.openapi({
          param: {
            name: 'polygonId',
            in: 'path',
            required: true,
            description: "The polygon's id.",
            example: '019a8f00-0002-7000-8000-000000000002',
          },
        } as never)
      },
    }),
    query: noQuery,
    headers: z.object({
      get 'If-None-Match'() {
        return text({ minLength: 1, maxLength: 1000 })
          .optional()
          .openapi({
            param: {
              name: 'If-None-Match',
              in: 'header',
              description:
                'The `ETag` that you have, or several. While it is the same, the answer is 304 without a body.',
              example: '"1"',
            },
          } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'The polygon.',
      headers: {
        ETag: {
          description:
            'Names this version of the resource, and the kind that you were sent. Send it back as `If-Match` to write, as `If-None-Match` to read.',
          required: true,
          schema: { type: 'string' },
          example: '"1"',
        },
      },
      content: {
        'application/json': {
          schema: PolygonSchema,
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
        },
        'application/geo+json': {
          schema: PolygonFeatureSchema,
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
        },
      },
    },
    '304': NotModifiedResponse,
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': PolygonNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const replacePolygon = route({
  method: 'put',
  path: '/api/polygons/{polygonId}',
  operationId: 'replacePolygon',
  'x-sdk': 'polygons.replace',
  summary: 'Replace a polygon',
  description: 'Replaces all of it. Send `If-Match` to be sure that nobody has changed it since you read it.\n',
  tags: ['Polygons'],
  'x-scopes': ['polygons:write'],
  'x-large-body': true,
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get polygonId() {
        return IdSchema.openapi({
          param: {
            name: 'polygonId',
            in: 'path',
            required: true,
            description: "The polygon's id.",
            example: '019a8f00-0002-7000-8000-000000000002',
          },
        } as never)
      },
    }),
    query: noQuery,
    headers: z.object({
      get 'If-Match'() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'If-Match',
              in: 'header',
              description:
                'The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.',
              example: '"1"',
            },
          } as never)
      },
      get 'If-None-Match'() {
        return z
          .enum(['*'])
          .optional()
          .openapi({
            param: {
              name: 'If-None-Match',
              in: 'header',
              description:
                'Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`.',
            },
          } as never)
      },
    }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: PolygonWriteSchema,
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
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'The polygon as it is now.',
      headers: {
        ETag: {
          description:
            'Names this version of the resource, and the kind that you were sent. Send it back as `If-Match` to write, as `If-None-Match` to read.',
          required: true,
          schema: { type: 'string' },
          example: '"1"',
        },
      },
      content: {
        'application/json': {
          schema: PolygonSchema,
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
            updatedAt: '2026-03-02T21:35:00.000Z',
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': PolygonNotFoundResponse,
    '412': PreconditionFailedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deletePolygon = route({
  method: 'delete',
  path: '/api/polygons/{polygonId}',
  operationId: 'deletePolygon',
  'x-sdk': 'polygons.delete',
  summary: 'Delete a polygon',
  description:
    'Its notes go with it; its images stay, without it. Jobs that used it keep a copy of the geometry they run on.\n',
  tags: ['Polygons'],
  'x-scopes': ['polygons:write'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get polygonId() {
        return IdSchema.openapi({
          param: {
            name: 'polygonId',
            in: 'path',
            required: true,
            description: "The polygon's id.",
            example: '019a8f00-0002-7000-8000-000000000002',
          },
        } as never)
      },
    }),
    query: noQuery,
    headers: z.object({
      get 'If-Match'() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'If-Match',
              in: 'header',
              description:
                'The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.',
              example: '"1"',
            },
          } as never)
      },
      get 'If-None-Match'() {
        return z
          .enum(['*'])
          .optional()
          .openapi({
            param: {
              name: 'If-None-Match',
              in: 'header',
              description:
                'Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`.',
            },
          } as never)
      },
    }),
  },
  responses: {
    '204': { description: 'Deleted.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': PolygonNotFoundResponse,
    '412': PreconditionFailedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listPolygons = route({
  method: 'get',
  path: '/api/polygons',
  operationId: 'listPolygons',
  'x-sdk': 'polygons.list',
  summary: 'List polygons',
  description:
    "Mine, newest first; for an admin everyone's. With `Accept: application/geo+json` as a FeatureCollection, which GIS programs open.\n",
  tags: ['Polygons'],
  'x-scopes': ['polygons:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: z.strictObject({
      get bbox() {
        return BboxTextSchema.optional().openapi({
          param: {
            name: 'bbox',
            in: 'query',
            description:
              'Polygons whose bounding box meets this one: west, south, east, north in degrees, separated by commas. West greater than east reaches\nacross the antimeridian.\n',
            example: '145,-15,146,-14',
          },
        } as never)
      },
      get name() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'name',
              in: 'query',
              description: 'Polygons whose name has this in it, in whatever case.',
              example: 'lagoon',
            },
          } as never)
      },
      get createdAfter() {
        return text({ format: 'date-time' })
          .optional()
          .openapi({
            param: {
              name: 'createdAfter',
              in: 'query',
              description: 'Polygons that were made after this instant.',
              example: '2026-03-01T00:00:00.000Z',
            },
          } as never)
      },
      get createdBefore() {
        return text({ format: 'date-time' })
          .optional()
          .openapi({
            param: {
              name: 'createdBefore',
              in: 'query',
              description: 'Polygons that were made before this instant.',
              example: '2026-04-01T00:00:00.000Z',
            },
          } as never)
      },
      get userId() {
        return IdSchema.optional().openapi({
          param: {
            name: 'userId',
            in: 'query',
            description: 'Polygons of this person. Only admins see those of others.',
            example: '019a8f00-0001-7000-8000-000000000001',
          },
        } as never)
      },
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of polygons.',
      headers: {
        Link: {
          description: 'Where the next page is (RFC 8288), if there is one.',
          schema: { type: 'string' },
          example: '</api/polygons?limit=50&cursor=MDE5YTg>; rel="next"',
        },
      },
      content: {
        'application/json': {
          schema: PolygonPageSchema,
          examples: {
            usual: {
              summary: 'One polygon',
              value: {
                items: [
                  {
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
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
        'application/geo+json': {
          schema: PolygonFeatureCollectionSchema,
          examples: {
            usual: {
              summary: 'One feature',
              value: {
                type: 'FeatureCollection',
                features: [
                  {
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
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { type: 'FeatureCollection', features: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createPolygon = route({
  method: 'post',
  path: '/api/polygons',
  operationId: 'createPolygon',
  'x-sdk': 'polygons.create',
  summary: 'Create a polygon',
  description:
    'Takes an RFC 7946 Polygon or MultiPolygon, bare or as a Feature. Rings must be closed, neither cross themselves nor each other, and have\npositions in range; they are wound as the RFC asks. An edge over more than 180 degrees of longitude goes the short way, and the polygon\nis cut at the antimeridian. Any fault is pointed at.\n',
  tags: ['Polygons'],
  'x-scopes': ['polygons:write'],
  'x-large-body': true,
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: PolygonWriteSchema,
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
        },
      },
    },
  },
  responses: {
    '201': {
      description: 'The polygon exists.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/polygons/019a8f00-0002-7000-8000-000000000002',
        },
        ETag: {
          description:
            'Names this version of the resource, and the kind that you were sent. Send it back as `If-Match` to write, as `If-None-Match` to read.',
          required: true,
          schema: { type: 'string' },
          example: '"1"',
        },
      },
      content: {
        'application/json': {
          schema: PolygonSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getNote = route({
  method: 'get',
  path: '/api/notes/{noteId}',
  operationId: 'getNote',
  'x-sdk': 'notes.get',
  summary: 'Show a note',
  description: 'For who wrote it, whose polygon it is about, and admins.\n',
  tags: ['Notes'],
  'x-scopes': ['notes:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get noteId() {
        return IdSchema.openapi({
          param: {
            name: 'noteId',
            in: 'path',
            required: true,
            description: "The note's id.",
            example: '019a8f00-0010-7000-8000-000000000010',
          },
        } as never)
      },
    }),
    query: noQuery,
    headers: z.object({
      get 'If-None-Match'() {
        return text({ minLength: 1, maxLength: 1000 })
          .optional()
          .openapi({
            param: {
              name: 'If-None-Match',
              in: 'header',
              description:
                'The `ETag` that you have, or several. While it is the same, the answer is 304 without a body.',
              example: '"1"',
            },
          } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'The note.',
      headers: {
        ETag: {
          description:
            'Names this version of the resource, and the kind that you were sent. Send it back as `If-Match` to write, as `If-None-Match` to read.',
          required: true,
          schema: { type: 'string' },
          example: '"1"',
        },
      },
      content: {
        'application/json': {
          schema: NoteSchema,
          example: {
            id: '019a8f00-0010-7000-8000-000000000010',
            userId: '019a8f00-0001-7000-8000-000000000001',
            polygonId: '019a8f00-0002-7000-8000-000000000002',
            content: 'Bleaching on the western edge; come back after the next full moon.',
            createdAt: '2026-03-02T21:36:00.000Z',
            updatedAt: '2026-03-02T21:36:00.000Z',
          },
        },
      },
    },
    '304': NotModifiedResponse,
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': NoteNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const replaceNote = route({
  method: 'put',
  path: '/api/notes/{noteId}',
  operationId: 'replaceNote',
  'x-sdk': 'notes.replace',
  summary: 'Replace a note',
  description:
    'For who wrote it, and admins. Send `If-Match` to be sure that nobody has changed it since you read it.\n',
  tags: ['Notes'],
  'x-scopes': ['notes:write'],
  'x-large-body': true,
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get noteId() {
        return IdSchema.openapi({
          param: {
            name: 'noteId',
            in: 'path',
            required: true,
            description: "The note's id.",
            example: '019a8f00-0010-7000-8000-000000000010',
          },
        } as never)
      },
    }),
    query: noQuery,
    headers: z.object({
      get 'If-Match'() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'If-Match',
              in: 'header',
              description:
                'The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.',
              example: '"1"',
            },
          } as never)
      },
      get 'If-None-Match'() {
        return z
          .enum(['*'])
          .optional()
          .openapi({
            param: {
              name: 'If-None-Match',
              in: 'header',
              description:
                'Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`.',
            },
          } as never)
      },
    }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: NoteUpdateSchema,
          example: { content: 'Bleaching on the western edge; no worse a month later.' },
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'The note as it is now.',
      headers: {
        ETag: {
          description:
            'Names this version of the resource, and the kind that you were sent. Send it back as `If-Match` to write, as `If-None-Match` to read.',
          required: true,
          schema: { type: 'string' },
          example: '"1"',
        },
      },
      content: {
        'application/json': {
          schema: NoteSchema,
          example: {
            id: '019a8f00-0010-7000-8000-000000000010',
            userId: '019a8f00-0001-7000-8000-000000000001',
            polygonId: '019a8f00-0002-7000-8000-000000000002',
            content: 'Bleaching on the western edge; no worse a month later.',
            createdAt: '2026-03-02T21:36:00.000Z',
            updatedAt: '2026-04-02T20:10:00.000Z',
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': NoteNotFoundResponse,
    '412': PreconditionFailedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteNote = route({
  method: 'delete',
  path: '/api/notes/{noteId}',
  operationId: 'deleteNote',
  'x-sdk': 'notes.delete',
  summary: 'Delete a note',
  description: 'For who wrote it, and admins. Images that belonged to it stay.\n',
  tags: ['Notes'],
  'x-scopes': ['notes:write'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get noteId() {
        return IdSchema.openapi({
          param: {
            name: 'noteId',
            in: 'path',
            required: true,
            description: "The note's id.",
            example: '019a8f00-0010-7000-8000-000000000010',
          },
        } as never)
      },
    }),
    query: noQuery,
    headers: z.object({
      get 'If-Match'() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'If-Match',
              in: 'header',
              description:
                'The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.',
              example: '"1"',
            },
          } as never)
      },
      get 'If-None-Match'() {
        return z
          .enum(['*'])
          .optional()
          .openapi({
            param: {
              name: 'If-None-Match',
              in: 'header',
              description:
                'Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`.',
            },
          } as never)
      },
    }),
  },
  responses: {
    '204': { description: 'Deleted.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': NoteNotFoundResponse,
    '412': PreconditionFailedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listNotes = route({
  method: 'get',
  path: '/api/notes',
  operationId: 'listNotes',
  'x-sdk': 'notes.list',
  summary: 'List notes',
  description: "Mine, newest first; for an admin everyone's.\n",
  tags: ['Notes'],
  'x-scopes': ['notes:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: z.strictObject({
      get polygonId() {
        return IdSchema.optional().openapi({
          param: {
            name: 'polygonId',
            in: 'query',
            description: 'Those about this polygon.',
            example: '019a8f00-0002-7000-8000-000000000002',
          },
        } as never)
      },
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of notes.',
      content: {
        'application/json': {
          schema: NotePageSchema,
          examples: {
            usual: {
              summary: 'One note',
              value: {
                items: [
                  {
                    id: '019a8f00-0010-7000-8000-000000000010',
                    userId: '019a8f00-0001-7000-8000-000000000001',
                    polygonId: '019a8f00-0002-7000-8000-000000000002',
                    content: 'Bleaching on the western edge; come back after the next full moon.',
                    createdAt: '2026-03-02T21:36:00.000Z',
                    updatedAt: '2026-03-02T21:36:00.000Z',
                  },
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createNote = route({
  method: 'post',
  path: '/api/notes',
  operationId: 'createNote',
  'x-sdk': 'notes.create',
  summary: 'Write a note',
  description: 'About a polygon that is yours; an admin, about any.\n',
  tags: ['Notes'],
  'x-scopes': ['notes:write'],
  'x-large-body': true,
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: NoteCreateSchema,
          example: {
            polygonId: '019a8f00-0002-7000-8000-000000000002',
            content: 'Bleaching on the western edge; come back after the next full moon.',
          },
        },
      },
    },
  },
  responses: {
    '201': {
      description: 'The note exists.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/notes/019a8f00-0010-7000-8000-000000000010',
        },
        ETag: {
          description:
            'Names this version of the resource, and the kind that you were sent. Send it back as `If-Match` to write, as `If-None-Match` to read.',
          required: true,
          schema: { type: 'string' },
          example: '"1"',
        },
      },
      content: {
        'application/json': {
          schema: NoteSchema,
          example: {
            id: '019a8f00-0010-7000-8000-000000000010',
            userId: '019a8f00-0001-7000-8000-000000000001',
            polygonId: '019a8f00-0002-7000-8000-000000000002',
            content: 'Bleaching on the western edge; come back after the next full moon.',
            createdAt: '2026-03-02T21:36:00.000Z',
            updatedAt: '2026-03-02T21:36:00.000Z',
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': PolygonNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listJobRequests = route({
  method: 'get',
  path: '/api/jobs/requests',
  operationId: 'listJobRequests',
  'x-sdk': 'jobs.requests',
  summary: 'List job requests',
  description: 'What I asked for, newest first; for an admin what everyone asked for.\n',
  tags: ['Jobs'],
  'x-scopes': ['jobs:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: z.strictObject({
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of requests.',
      content: {
        'application/json': {
          schema: JobRequestPageSchema,
          examples: {
            usual: {
              summary: 'One request',
              value: {
                items: [
                  {
                    id: '019a8f00-0004-7000-8000-000000000004',
                    jobId: '019a8f00-0003-7000-8000-000000000003',
                    type: 'SUITABILITY_ASSESSMENT',
                    status: 'SUCCEEDED',
                    cached: false,
                    createdAt: '2026-03-02T21:40:00.000Z',
                  },
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const pollJobs = route({
  method: 'get',
  path: '/api/jobs/poll',
  operationId: 'pollJobs',
  'x-sdk': 'worker.poll',
  summary: 'See which jobs wait',
  description:
    'The jobs that a worker may claim now, most urgent first. Looking takes none of them: use `claim`, or `assign`.\n',
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: z.strictObject({
      get jobType() {
        return JobTypeSchema.optional().openapi({
          param: { name: 'jobType', in: 'query', description: 'Only jobs of this type.' },
        } as never)
      },
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(100))
          .default(10)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many jobs.' },
            type: 'integer',
            minimum: 1,
            maximum: 100,
            default: 10,
          } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'Jobs that wait.',
      content: {
        'application/json': {
          schema: JobPollSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const claimJobs = route({
  method: 'post',
  path: '/api/jobs/claim',
  operationId: 'claimJobs',
  'x-sdk': 'worker.claim',
  summary: 'Take the next jobs',
  description:
    'Takes up to `limit` jobs of the named types, most urgent first, and waits for one if there is none. An empty answer is no error.\n',
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: ClaimRequestSchema,
          example: {
            jobTypes: ['SUITABILITY_ASSESSMENT', 'TEST'],
            limit: 1,
            waitSeconds: 20,
            workerName: 'hpc-node-17',
          },
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'The jobs that are yours now.',
      content: {
        'application/json': {
          schema: ClaimsSchema,
          examples: {
            usual: {
              summary: 'One job',
              value: {
                claims: [
                  {
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
                ],
              },
            },
            empty: { summary: 'None came in time', value: { claims: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createUploads = route({
  method: 'post',
  path: '/api/jobs/assignments/{assignmentId}/uploads',
  operationId: 'createUploads',
  'x-sdk': 'worker.createUploads',
  summary: 'Get links for files to upload',
  description:
    'Declares files with their exact size and checksum, and gives a signed URL for each. The result then names all that were declared.\nDeclaring a file again gives a fresh link; with another size or checksum it is refused.\n',
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  security: anyOf('bearerAuth', 'apiKey', 'assignmentToken'),
  request: {
    params: z.object({
      get assignmentId() {
        return IdSchema.openapi({
          param: {
            name: 'assignmentId',
            in: 'path',
            required: true,
            description: "The assignment's id.",
            example: '019a8f00-0005-7000-8000-000000000005',
          },
        } as never)
      },
    }),
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: UploadsRequestSchema,
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
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'Where to send the files.',
      content: {
        'application/json': {
          schema: SignedUploadsSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': AssignmentNotFoundResponse,
    '409': UploadRefusedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const reportResult = route({
  method: 'post',
  path: '/api/jobs/assignments/{assignmentId}/result',
  operationId: 'reportResult',
  'x-sdk': 'worker.reportResult',
  summary: 'Report the result',
  description:
    'Ends the assignment. The same report again answers the same; another one is refused. Files that were declared but never arrived are\nnamed in a 409 (`upload_incomplete`), and the assignment goes on.\n',
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  'x-large-body': true,
  security: anyOf('bearerAuth', 'apiKey', 'assignmentToken'),
  request: {
    params: z.object({
      get assignmentId() {
        return IdSchema.openapi({
          param: {
            name: 'assignmentId',
            in: 'path',
            required: true,
            description: "The assignment's id.",
            example: '019a8f00-0005-7000-8000-000000000005',
          },
        } as never)
      },
    }),
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: ResultRequestSchema,
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
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'Accepted.',
      content: {
        'application/json': {
          schema: ResultAcceptedSchema,
          example: {
            assignmentId: '019a8f00-0005-7000-8000-000000000005',
            jobId: '019a8f00-0003-7000-8000-000000000003',
            status: 'SUCCEEDED',
            willRetry: false,
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': AssignmentNotFoundResponse,
    '409': ResultRefusedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const releaseJob = route({
  method: 'post',
  path: '/api/jobs/assignments/{assignmentId}/release',
  operationId: 'releaseJob',
  'x-sdk': 'worker.release',
  summary: 'Give a job back',
  description: 'The job waits again at once, and the attempt does not count.\n',
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  security: anyOf('bearerAuth', 'apiKey', 'assignmentToken'),
  request: {
    params: z.object({
      get assignmentId() {
        return IdSchema.openapi({
          param: {
            name: 'assignmentId',
            in: 'path',
            required: true,
            description: "The assignment's id.",
            example: '019a8f00-0005-7000-8000-000000000005',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '204': { description: 'Given back.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': AssignmentNotFoundResponse,
    '409': AssignmentLostResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const appendLogs = route({
  method: 'post',
  path: '/api/jobs/assignments/{assignmentId}/logs',
  operationId: 'appendLogs',
  'x-sdk': 'worker.appendLogs',
  summary: 'Add to the log',
  description: 'The entries become events of the job, in this order.\n',
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  'x-large-body': true,
  security: anyOf('bearerAuth', 'apiKey', 'assignmentToken'),
  request: {
    params: z.object({
      get assignmentId() {
        return IdSchema.openapi({
          param: {
            name: 'assignmentId',
            in: 'path',
            required: true,
            description: "The assignment's id.",
            example: '019a8f00-0005-7000-8000-000000000005',
          },
        } as never)
      },
    }),
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: LogEntriesSchema,
          example: { entries: [{ level: 'INFO', message: 'slope is derived from the layer depth' }] },
        },
      },
    },
  },
  responses: {
    '204': { description: 'Kept.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': AssignmentNotFoundResponse,
    '409': AssignmentLostResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listInputs = route({
  method: 'get',
  path: '/api/jobs/assignments/{assignmentId}/inputs',
  operationId: 'listInputs',
  'x-sdk': 'worker.inputs',
  summary: 'Get links to what the job reads',
  description: "Signed links to the files that the job's input refers to, as they were when it was created.\n",
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  security: anyOf('bearerAuth', 'apiKey', 'assignmentToken'),
  request: {
    params: z.object({
      get assignmentId() {
        return IdSchema.openapi({
          param: {
            name: 'assignmentId',
            in: 'path',
            required: true,
            description: "The assignment's id.",
            example: '019a8f00-0005-7000-8000-000000000005',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '200': {
      description: 'The links.',
      content: {
        'application/json': {
          schema: JobInputsSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': AssignmentNotFoundResponse,
    '409': AssignmentLostResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const heartbeat = route({
  method: 'post',
  path: '/api/jobs/assignments/{assignmentId}/heartbeat',
  operationId: 'heartbeat',
  'x-sdk': 'worker.heartbeat',
  summary: 'Keep an assignment',
  description:
    'Extends the lease and may report progress. 409 tells the worker to stop: the lease is lost, or the job was cancelled.\n',
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  security: anyOf('bearerAuth', 'apiKey', 'assignmentToken'),
  request: {
    params: z.object({
      get assignmentId() {
        return IdSchema.openapi({
          param: {
            name: 'assignmentId',
            in: 'path',
            required: true,
            description: "The assignment's id.",
            example: '019a8f00-0005-7000-8000-000000000005',
          },
        } as never)
      },
    }),
    query: noQuery,
    body: {
      required: true,
      content: { 'application/json': { schema: HeartbeatRequestSchema, example: { progress: 0.4 } } },
    },
  },
  responses: {
    '200': {
      description: 'The lease is extended.',
      content: {
        'application/json': {
          schema: HeartbeatSchema,
          example: { expiresAt: '2026-03-02T21:41:04.000Z', deadlineAt: '2026-03-02T22:40:00.007Z' },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': AssignmentNotFoundResponse,
    '409': AssignmentLostResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const assignJob = route({
  method: 'post',
  path: '/api/jobs/assign',
  operationId: 'assignJob',
  'x-sdk': 'worker.assign',
  summary: 'Take one job',
  description: 'Takes the named job, or answers 409 if it is not free. A job never has two owners.\n',
  tags: ['Worker'],
  'x-scopes': ['jobs:work'],
  'x-roles': ['WORKER', 'ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: AssignRequestSchema,
          example: { jobId: '019a8f00-0003-7000-8000-000000000003', workerName: 'hpc-node-17' },
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'The job is yours.',
      content: {
        'application/json': {
          schema: AssignedSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': JobNotFoundResponse,
    '409': JobNotAvailableResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listJobLogs = route({
  method: 'get',
  path: '/api/jobs/{jobId}/logs',
  operationId: 'listJobLogs',
  'x-sdk': 'jobs.logs',
  summary: "List a job's log",
  description: 'Oldest first.\n',
  tags: ['Jobs'],
  'x-scopes': ['jobs:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get jobId() {
        return IdSchema.openapi({
          param: {
            name: 'jobId',
            in: 'path',
            required: true,
            description: "The job's id.",
            example: '019a8f00-0003-7000-8000-000000000003',
          },
        } as never)
      },
    }),
    query: z.strictObject({
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of log entries.',
      content: {
        'application/json': {
          schema: JobLogPageSchema,
          example: {
            items: [
              { id: 3, at: '2026-03-02T21:40:00.250Z', level: 'INFO', message: 'Fetching layer depth' },
              {
                id: 4,
                at: '2026-03-02T21:40:03.100Z',
                level: 'INFO',
                message: 'slope is derived from the layer depth',
              },
            ],
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': JobNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const streamJobEvents = route({
  method: 'get',
  path: '/api/jobs/{jobId}/events',
  operationId: 'streamJobEvents',
  'x-sdk': 'jobs.events',
  summary: 'Follow a job',
  description:
    'Server-sent events: `status`, `progress` and `log`. Every event so far comes first. Send the last id that you saw as `Last-Event-ID` to go on\nfrom there. The stream ends when the job is final; asking again after its last event answers 204. A comment comes every 15 seconds.\n',
  tags: ['Jobs'],
  'x-scopes': ['jobs:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get jobId() {
        return IdSchema.openapi({
          param: {
            name: 'jobId',
            in: 'path',
            required: true,
            description: "The job's id.",
            example: '019a8f00-0003-7000-8000-000000000003',
          },
        } as never)
      },
    }),
    query: noQuery,
    headers: z.object({
      get 'Last-Event-ID'() {
        return z
          .preprocess(toNumber, z.int().min(0).max(2147483647))
          .optional()
          .openapi({
            param: {
              name: 'Last-Event-ID',
              in: 'header',
              description: 'The id of the last event that was seen.',
              example: 4,
            },
            type: 'integer',
            minimum: 0,
            maximum: 2147483647,
          } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'Events. The data of each is a `JobEvent`.',
      content: {
        'text/event-stream': {
          schema: z.string(),
          examples: {
            succeeded: {
              summary: 'From its start to its end',
              value:
                'id: 1\nevent: status\ndata: {"id":1,"kind":"status","at":"2026-03-02T21:40:00.000Z","status":"PENDING"}\n\nid: 2\nevent: status\ndata: {"id":2,"kind":"status","at":"2026-03-02T21:40:00.007Z","status":"IN_PROGRESS"}\n\nid: 3\nevent: log\ndata: {"id":3,"kind":"log","at":"2026-03-02T21:40:00.250Z","level":"INFO","message":"Fetching layer depth"}\n\nid: 4\nevent: log\ndata: {"id":4,"kind":"log","at":"2026-03-02T21:40:03.100Z","level":"INFO","message":"slope is derived from the layer depth"}\n\nid: 5\nevent: progress\ndata: {"id":5,"kind":"progress","at":"2026-03-02T21:40:04.000Z","progress":0.4}\n\nid: 6\nevent: progress\ndata: {"id":6,"kind":"progress","at":"2026-03-02T21:40:08.000Z","progress":0.95}\n\nid: 7\nevent: status\ndata: {"id":7,"kind":"status","at":"2026-03-02T21:40:09.310Z","status":"SUCCEEDED"}\n\n',
            },
            failed: {
              summary: 'It fails for good',
              value:
                'id: 1\nevent: status\ndata: {"id":1,"kind":"status","at":"2026-03-02T21:40:00.000Z","status":"PENDING"}\n\nid: 2\nevent: status\ndata: {"id":2,"kind":"status","at":"2026-03-02T21:40:00.007Z","status":"IN_PROGRESS"}\n\nid: 3\nevent: log\ndata: {"id":3,"kind":"log","at":"2026-03-02T21:40:00.250Z","level":"INFO","message":"Fetching layer depth"}\n\nid: 4\nevent: log\ndata: {"id":4,"kind":"log","at":"2026-03-02T21:40:03.100Z","level":"INFO","message":"slope is derived from the layer depth"}\n\nid: 5\nevent: status\ndata: {"id":5,"kind":"status","at":"2026-03-02T21:40:03.400Z","status":"FAILED","reason":"The raster \\"depth\\" ends in the middle of a tile."}\n\n',
            },
          },
        },
      },
    },
    '204': { description: 'The job is final and there is no further event.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': JobNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const downloadJob = route({
  method: 'get',
  path: '/api/jobs/{jobId}/download',
  operationId: 'downloadJob',
  'x-sdk': 'jobs.download',
  summary: "Get links to a job's files",
  description: "The files that the job's result named, and nothing that arrived later.\n",
  tags: ['Jobs'],
  'x-scopes': ['jobs:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get jobId() {
        return IdSchema.openapi({
          param: {
            name: 'jobId',
            in: 'path',
            required: true,
            description: "The job's id.",
            example: '019a8f00-0003-7000-8000-000000000003',
          },
        } as never)
      },
    }),
    query: z.strictObject({
      get expirySeconds() {
        return z
          .preprocess(toNumber, z.int().min(1).max(86400))
          .default(3600)
          .openapi({
            param: { name: 'expirySeconds', in: 'query', description: 'How long the links work.' },
            type: 'integer',
            minimum: 1,
            maximum: 86400,
            default: 3600,
          } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'The links.',
      content: {
        'application/json': {
          schema: JobDownloadSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': JobNotFoundResponse,
    '409': JobNotSucceededResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const cancelJob = route({
  method: 'post',
  path: '/api/jobs/{jobId}/cancel',
  operationId: 'cancelJob',
  'x-sdk': 'jobs.cancel',
  summary: 'Cancel a job',
  description:
    'Withdraws my requests for the job. The job stops when nobody else wants it, or at once when an admin cancels it. A worker learns of it\nat its next heartbeat. Cancelling a cancelled job answers the same.\n',
  tags: ['Jobs'],
  'x-scopes': ['jobs:write'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get jobId() {
        return IdSchema.openapi({
          param: {
            name: 'jobId',
            in: 'path',
            required: true,
            description: "The job's id.",
            example: '019a8f00-0003-7000-8000-000000000003',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '200': {
      description: 'The job as it is now.',
      content: {
        'application/json': {
          schema: JobSchema,
          examples: {
            cancelled: {
              summary: 'Nobody wants it any more',
              value: {
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
                status: 'CANCELLED',
                attempts: 1,
                lastEventId: 6,
                updatedAt: '2026-03-02T21:40:06.200Z',
                startedAt: '2026-03-02T21:40:00.007Z',
                finishedAt: '2026-03-02T21:40:06.200Z',
              },
            },
            'in-progress': {
              summary: 'A worker has it',
              value: {
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
                status: 'IN_PROGRESS',
                progress: 0.4,
                attempts: 1,
                lastEventId: 5,
                updatedAt: '2026-03-02T21:40:04.000Z',
                startedAt: '2026-03-02T21:40:00.007Z',
              },
            },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': JobNotFoundResponse,
    '409': JobFinishedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getJob = route({
  method: 'get',
  path: '/api/jobs/{jobId}',
  operationId: 'getJob',
  'x-sdk': 'jobs.get',
  summary: 'Show a job',
  description: 'For those who asked for it, admins, and workers that hold it or may claim it.\n',
  tags: ['Jobs'],
  'x-scopes': ['jobs:read', 'jobs:work'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get jobId() {
        return IdSchema.openapi({
          param: {
            name: 'jobId',
            in: 'path',
            required: true,
            description: "The job's id.",
            example: '019a8f00-0003-7000-8000-000000000003',
          },
        } as never)
      },
    }),
    query: z.strictObject({
      get waitSeconds() {
        return z
          .preprocess(toNumber, z.int().min(0).max(20))
          .default(0)
          .openapi({
            param: {
              name: 'waitSeconds',
              in: 'query',
              description: 'Wait so long for the job to change, unless it is final.',
            },
            type: 'integer',
            minimum: 0,
            maximum: 20,
            default: 0,
          } as never)
      },
      get afterEventId() {
        return z
          .preprocess(toNumber, z.int().min(0).max(2147483647))
          .optional()
          .openapi({
            param: {
              name: 'afterEventId',
              in: 'query',
              description:
                'With `waitSeconds`: answer as soon as `lastEventId` is beyond this. Without it, the next change counts.',
            },
            type: 'integer',
            minimum: 0,
            maximum: 2147483647,
          } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'The job.',
      content: {
        'application/json': {
          schema: JobSchema,
          examples: {
            succeeded: {
              summary: 'It has a result',
              value: {
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
            },
            pending: {
              summary: 'It waits for a worker',
              value: {
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
                status: 'PENDING',
                attempts: 0,
                lastEventId: 1,
                updatedAt: '2026-03-02T21:40:00.000Z',
                availableAt: '2026-03-02T21:40:00.000Z',
              },
            },
            'in-progress': {
              summary: 'A worker has it',
              value: {
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
                status: 'IN_PROGRESS',
                progress: 0.4,
                attempts: 1,
                lastEventId: 5,
                updatedAt: '2026-03-02T21:40:04.000Z',
                startedAt: '2026-03-02T21:40:00.007Z',
              },
            },
            failed: {
              summary: 'It failed for good',
              value: {
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
                status: 'FAILED',
                error: { message: 'The raster "depth" ends in the middle of a tile.', retryable: false },
                attempts: 1,
                lastEventId: 5,
                updatedAt: '2026-03-02T21:40:03.400Z',
                startedAt: '2026-03-02T21:40:00.007Z',
                finishedAt: '2026-03-02T21:40:03.400Z',
              },
            },
            'timed-out': {
              summary: 'Three workers fell silent',
              value: {
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
                status: 'TIMED_OUT',
                error: { message: 'The worker fell silent or took too long: its lease ran out.', retryable: true },
                attempts: 3,
                lastEventId: 7,
                updatedAt: '2026-03-02T21:43:03.120Z',
                startedAt: '2026-03-02T21:42:02.090Z',
                finishedAt: '2026-03-02T21:43:03.120Z',
              },
            },
            cancelled: {
              summary: 'Nobody wants it any more',
              value: {
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
                status: 'CANCELLED',
                attempts: 1,
                lastEventId: 6,
                updatedAt: '2026-03-02T21:40:06.200Z',
                startedAt: '2026-03-02T21:40:00.007Z',
                finishedAt: '2026-03-02T21:40:06.200Z',
              },
            },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': JobNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listJobs = route({
  method: 'get',
  path: '/api/jobs',
  operationId: 'listJobs',
  'x-sdk': 'jobs.list',
  summary: 'List jobs',
  description: "The jobs that I asked for, newest first; for an admin everyone's.\n",
  tags: ['Jobs'],
  'x-scopes': ['jobs:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: z.strictObject({
      get status() {
        return JobStatusSchema.optional().openapi({
          param: { name: 'status', in: 'query', description: 'Only jobs in this state.' },
        } as never)
      },
      get type() {
        return JobTypeSchema.optional().openapi({
          param: { name: 'type', in: 'query', description: 'Only jobs of this type.' },
        } as never)
      },
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of jobs.',
      content: {
        'application/json': {
          schema: JobPageSchema,
          examples: {
            usual: {
              summary: 'One job',
              value: {
                items: [
                  {
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
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
            more: {
              summary: 'A page that is not the last',
              value: {
                items: [
                  {
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
                ],
                nextCursor: 'MDE5YThmMDAtMDAwMy03MDAwLTgwMDAtMDAwMDAwMDAwMDAz',
              },
            },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createJob = route({
  method: 'post',
  path: '/api/jobs',
  operationId: 'createJob',
  'x-sdk': 'jobs.create',
  summary: 'Start a job',
  description:
    'An equal job that is pending, running or succeeded is shared instead of started again (`cached`), where its type allows. Both give\nthe caller a request of their own. Priority above NORMAL is for admins, and so are unlimited unfinished jobs.\n',
  tags: ['Jobs'],
  'x-scopes': ['jobs:write'],
  'x-large-body': true,
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: noQuery,
    headers: z.object({
      get 'Idempotency-Key'() {
        return text({ minLength: 1, maxLength: 255 })
          .optional()
          .openapi({
            param: {
              name: 'Idempotency-Key',
              in: 'header',
              description:
                'Makes a retry safe. For 24 hours the same key and body give the same answer; the same key with another body is refused with\n422, and with 409 while the first request is still under way.\n',
              example: '5c1f7c52-6c0e-4b6e-8d0a-2b0f4d8e9a11',
            },
          } as never)
      },
    }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: JobCreateSchema,
          examples: {
            test: {
              summary: 'Tries a deployment out, and needs nothing but a worker',
              value: { type: 'TEST', inputPayload: { id: 42, sleepSeconds: 2 } },
            },
            assessment: {
              summary: 'Looks for sites in a polygon',
              value: {
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
            },
          },
        },
      },
    },
  },
  responses: {
    '201': {
      description: 'The job exists.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/jobs/019a8f00-0003-7000-8000-000000000003',
        },
      },
      content: {
        'application/json': {
          schema: JobCreatedSchema,
          examples: {
            usual: {
              summary: 'A new job',
              value: {
                jobId: '019a8f00-0003-7000-8000-000000000003',
                cached: false,
                jobRequestId: '019a8f00-0004-7000-8000-000000000004',
              },
            },
            cached: {
              summary: 'An equal job is shared',
              value: {
                jobId: '019a8f00-0003-7000-8000-000000000003',
                cached: true,
                jobRequestId: '019a8f00-0004-7000-8000-000000000009',
              },
            },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': JobForbiddenResponse,
    '409': IdempotencyInProgressResponse,
    '422': UnprocessableResponse,
    '429': TooManyRequestsResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getJobType = route({
  method: 'get',
  path: '/api/job-types/{type}',
  operationId: 'getJobType',
  'x-sdk': 'jobs.type',
  summary: 'Show a job type',
  description: 'Its settings and its schemas.\n',
  tags: ['Jobs'],
  'x-scopes': ['jobs:read', 'jobs:write', 'jobs:work'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get type() {
        return text({ minLength: 1, maxLength: 64 }).openapi({
          param: { name: 'type', in: 'path', required: true, description: "The job type's name.", example: 'TEST' },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '200': {
      description: 'The job type.',
      content: {
        'application/json': {
          schema: JobTypeDescriptionSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': JobTypeNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listJobTypes = route({
  method: 'get',
  path: '/api/job-types',
  operationId: 'listJobTypes',
  'x-sdk': 'jobs.types',
  summary: 'List job types',
  description: 'All that this service knows, with the schemas of what goes in and what comes out.\n',
  tags: ['Jobs'],
  'x-scopes': ['jobs:read', 'jobs:write', 'jobs:work'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: { query: noQuery },
  responses: {
    '200': {
      description: 'The job types, all on one page.',
      content: {
        'application/json': {
          schema: JobTypePageSchema,
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
        },
      },
    },
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createImageUpload = route({
  method: 'post',
  path: '/api/images/uploads',
  operationId: 'createImageUpload',
  'x-sdk': 'images.createUpload',
  summary: 'Start the upload of an image',
  description:
    'Gives a signed URL for a file of exactly this size and checksum. Send the file there, then complete the image. An upload that is not completed within a day is forgotten.\n',
  tags: ['Images'],
  'x-scopes': ['images:write'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: ImageUploadSchema,
          example: {
            name: 'récif "ouest".jpg',
            contentType: 'image/jpeg',
            sizeBytes: 48213,
            sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
            polygonId: '019a8f00-0002-7000-8000-000000000002',
          },
        },
      },
    },
  },
  responses: {
    '201': {
      description: 'The image awaits its file.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/images/019a8f00-0011-7000-8000-000000000011',
        },
      },
      content: {
        'application/json': {
          schema: ImageUploadCreatedSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '413': ImageTooLargeResponse,
    '422': AttachmentUnknownResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getImageMetadata = route({
  method: 'get',
  path: '/api/images/{imageId}/metadata',
  operationId: 'getImageMetadata',
  'x-sdk': 'images.get',
  summary: 'Show what is known of an image',
  description: 'For who uploaded it, whose polygon it shows, and admins.\n',
  tags: ['Images'],
  'x-scopes': ['images:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get imageId() {
        return IdSchema.openapi({
          param: {
            name: 'imageId',
            in: 'path',
            required: true,
            description: "The image's id.",
            example: '019a8f00-0011-7000-8000-000000000011',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '200': {
      description: 'What is known of it.',
      content: {
        'application/json': {
          schema: ImageSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': ImageNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const completeImageUpload = route({
  method: 'post',
  path: '/api/images/{imageId}/complete',
  operationId: 'completeImageUpload',
  'x-sdk': 'images.completeUpload',
  summary: 'Complete the upload of an image',
  description:
    'Looks at the file that has arrived. What is refused is deleted, and the upload with it. Completing it again answers the same.\n',
  tags: ['Images'],
  'x-scopes': ['images:write'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get imageId() {
        return IdSchema.openapi({
          param: {
            name: 'imageId',
            in: 'path',
            required: true,
            description: "The image's id.",
            example: '019a8f00-0011-7000-8000-000000000011',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '200': {
      description: 'The image is kept.',
      content: {
        'application/json': {
          schema: ImageSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': ImageNotFoundResponse,
    '409': ImageUploadIncompleteResponse,
    '415': NoImageResponse,
    '422': ImageRefusedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getImage = route({
  method: 'get',
  path: '/api/images/{imageId}',
  operationId: 'getImage',
  'x-sdk': 'images.download',
  summary: 'Fetch an image',
  description:
    'The file itself, byte for byte as it was uploaded, under its name. Ranges and conditions are honoured, HEAD is answered. For who uploaded it,\nwhose polygon it shows, and admins.\n',
  tags: ['Images'],
  'x-scopes': ['images:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get imageId() {
        return IdSchema.openapi({
          param: {
            name: 'imageId',
            in: 'path',
            required: true,
            description: "The image's id.",
            example: '019a8f00-0011-7000-8000-000000000011',
          },
        } as never)
      },
    }),
    query: noQuery,
    headers: z.object({
      get Range() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'Range',
              in: 'header',
              description: 'One range of bytes. Several are answered with the whole.',
              example: 'bytes=0-1023',
            },
          } as never)
      },
      get 'If-Range'() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'If-Range',
              in: 'header',
              description: 'The `ETag` of which a part is there already. If it is another by now, the whole comes.',
              example: '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
            },
          } as never)
      },
      get 'If-None-Match'() {
        return text({ minLength: 1, maxLength: 1000 })
          .optional()
          .openapi({
            param: {
              name: 'If-None-Match',
              in: 'header',
              description: 'The `ETag` that you have, or several.',
              example: '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
            },
          } as never)
      },
      get 'If-Modified-Since'() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'If-Modified-Since',
              in: 'header',
              description: 'The `Last-Modified` that you have. Heard where there is no `If-None-Match`.',
              example: 'Mon, 02 Mar 2026 21:37:00 GMT',
            },
          } as never)
      },
      get 'If-Match'() {
        return text({ minLength: 1, maxLength: 1000 })
          .optional()
          .openapi({
            param: {
              name: 'If-Match',
              in: 'header',
              description: 'The `ETag` that it must have, or several. If it has another, the answer is 412.',
              example: '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
            },
          } as never)
      },
      get 'If-Unmodified-Since'() {
        return text({ minLength: 1, maxLength: 200 })
          .optional()
          .openapi({
            param: {
              name: 'If-Unmodified-Since',
              in: 'header',
              description: 'If it has changed since then, the answer is 412. Heard where there is no `If-Match`.',
              example: 'Mon, 02 Mar 2026 21:37:00 GMT',
            },
          } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'The image.',
      headers: {
        ETag: {
          description: 'Names these bytes, which never change. Send it back as `If-None-Match`.',
          required: true,
          schema: { type: 'string' },
          example: '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        },
        'Last-Modified': {
          description: 'When it was uploaded.',
          required: true,
          schema: { type: 'string' },
          example: 'Mon, 02 Mar 2026 21:37:00 GMT',
        },
        'Accept-Ranges': {
          description: 'Parts of it can be asked for, in bytes.',
          required: true,
          schema: { type: 'string' },
          example: 'bytes',
        },
        'Cache-Control': {
          description:
            'To be kept by whoever asked, and asked for anew by its `ETag` each time; to be sent on as it is.',
          required: true,
          schema: { type: 'string' },
          example: 'private, no-cache, no-transform',
        },
        'Content-Length': {
          description: 'How many bytes come.',
          required: true,
          schema: { type: 'string' },
          example: '48213',
        },
        'Content-Disposition': {
          description: 'The name under which to save it (RFC 6266).',
          required: true,
          schema: { type: 'string' },
          example: 'attachment; filename="r_cif _ouest_.jpg"; filename*=UTF-8\'\'r%C3%A9cif%20%22ouest%22.jpg',
        },
      },
      content: {
        'image/jpeg': { schema: text({ format: 'binary' }), example: '' },
        'image/png': { schema: text({ format: 'binary' }), example: '' },
        'image/webp': { schema: text({ format: 'binary' }), example: '' },
        'image/gif': { schema: text({ format: 'binary' }), example: '' },
        'image/tiff': { schema: text({ format: 'binary' }), example: '' },
      },
    },
    '206': {
      description: 'The range of it.',
      headers: {
        ETag: {
          description: 'Names these bytes, which never change. Send it back as `If-None-Match`.',
          required: true,
          schema: { type: 'string' },
          example: '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        },
        'Last-Modified': {
          description: 'When it was uploaded.',
          required: true,
          schema: { type: 'string' },
          example: 'Mon, 02 Mar 2026 21:37:00 GMT',
        },
        'Accept-Ranges': {
          description: 'Parts of it can be asked for, in bytes.',
          required: true,
          schema: { type: 'string' },
          example: 'bytes',
        },
        'Cache-Control': {
          description:
            'To be kept by whoever asked, and asked for anew by its `ETag` each time; to be sent on as it is.',
          required: true,
          schema: { type: 'string' },
          example: 'private, no-cache, no-transform',
        },
        'Content-Length': {
          description: 'How many bytes come.',
          required: true,
          schema: { type: 'string' },
          example: '1024',
        },
        'Content-Disposition': {
          description: 'The name under which to save it (RFC 6266).',
          required: true,
          schema: { type: 'string' },
          example: 'attachment; filename="r_cif _ouest_.jpg"; filename*=UTF-8\'\'r%C3%A9cif%20%22ouest%22.jpg',
        },
        'Content-Range': {
          description: 'Which bytes these are, and of how many.',
          required: true,
          schema: { type: 'string' },
          example: 'bytes 0-1023/48213',
        },
      },
      content: {
        'image/jpeg': { schema: text({ format: 'binary' }), example: '' },
        'image/png': { schema: text({ format: 'binary' }), example: '' },
        'image/webp': { schema: text({ format: 'binary' }), example: '' },
        'image/gif': { schema: text({ format: 'binary' }), example: '' },
        'image/tiff': { schema: text({ format: 'binary' }), example: '' },
      },
    },
    '304': {
      description: 'You have these very bytes.',
      headers: {
        ETag: {
          description: 'Names these bytes, which never change. Send it back as `If-None-Match`.',
          required: true,
          schema: { type: 'string' },
          example: '"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        },
        'Last-Modified': {
          description: 'When it was uploaded.',
          required: true,
          schema: { type: 'string' },
          example: 'Mon, 02 Mar 2026 21:37:00 GMT',
        },
        'Accept-Ranges': {
          description: 'Parts of it can be asked for, in bytes.',
          required: true,
          schema: { type: 'string' },
          example: 'bytes',
        },
        'Cache-Control': {
          description:
            'To be kept by whoever asked, and asked for anew by its `ETag` each time; to be sent on as it is.',
          required: true,
          schema: { type: 'string' },
          example: 'private, no-cache, no-transform',
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': ImageNotFoundResponse,
    '412': PreconditionFailedResponse,
    '416': RangeNotSatisfiableResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const updateImage = route({
  method: 'patch',
  path: '/api/images/{imageId}',
  operationId: 'updateImage',
  'x-sdk': 'images.update',
  summary: 'Change what is known of an image',
  description: 'Its name, and the polygon and the note that it belongs to. For who uploaded it, and admins.\n',
  tags: ['Images'],
  'x-scopes': ['images:write'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get imageId() {
        return IdSchema.openapi({
          param: {
            name: 'imageId',
            in: 'path',
            required: true,
            description: "The image's id.",
            example: '019a8f00-0011-7000-8000-000000000011',
          },
        } as never)
      },
    }),
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: ImageUpdateSchema,
          example: { polygonId: '019a8f00-0002-7000-8000-000000000002' },
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'What is known of it now.',
      content: {
        'application/json': {
          schema: ImageSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': ImageNotFoundResponse,
    '422': AttachmentUnknownResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const deleteImage = route({
  method: 'delete',
  path: '/api/images/{imageId}',
  operationId: 'deleteImage',
  'x-sdk': 'images.delete',
  summary: 'Delete an image',
  description:
    'The file goes with it. For who uploaded it, and admins. An upload that was started and is not completed can be cancelled so, by who\nstarted it; what has arrived of it goes within some hours.\n',
  tags: ['Images'],
  'x-scopes': ['images:write'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    params: z.object({
      get imageId() {
        return IdSchema.openapi({
          param: {
            name: 'imageId',
            in: 'path',
            required: true,
            description: "The image's id.",
            example: '019a8f00-0011-7000-8000-000000000011',
          },
        } as never)
      },
    }),
    query: noQuery,
  },
  responses: {
    '204': { description: 'Deleted.' },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '404': ImageNotFoundResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listImages = route({
  method: 'get',
  path: '/api/images',
  operationId: 'listImages',
  'x-sdk': 'images.list',
  summary: 'List images',
  description:
    "Mine, newest first; for an admin everyone's. Of a polygon or a note: all that belong to it and that I may see, which for the owner of the\npolygon is everything. Of one that is not there, or not for me, that is nothing.\n",
  tags: ['Images'],
  'x-scopes': ['images:read'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: z.strictObject({
      get polygonId() {
        return IdSchema.optional().openapi({
          param: {
            name: 'polygonId',
            in: 'query',
            description: 'Those of this polygon.',
            example: '019a8f00-0002-7000-8000-000000000002',
          },
        } as never)
      },
      get noteId() {
        return IdSchema.optional().openapi({
          param: {
            name: 'noteId',
            in: 'query',
            description: 'Those of this note.',
            example: '019a8f00-0010-7000-8000-000000000010',
          },
        } as never)
      },
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of images.',
      content: {
        'application/json': {
          schema: ImagePageSchema,
          examples: {
            usual: {
              summary: 'One image',
              value: {
                items: [
                  {
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
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const createImage = route({
  method: 'post',
  path: '/api/images',
  operationId: 'createImage',
  'x-sdk': 'images.create',
  summary: 'Upload an image',
  description:
    'PNG, JPEG, WebP, GIF or TIFF, as the bytes say and not the name. The file is kept as it is, byte for byte; what is damaged, is another\nkind of file besides, or would unpack to far more than it looks, is refused. Larger than a request may be? Start an upload.\n',
  tags: ['Images'],
  'x-scopes': ['images:write'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: ImageFormSchema,
          example: { file: 'récif "ouest".jpg', polygonId: '019a8f00-0002-7000-8000-000000000002' },
        },
      },
    },
  },
  responses: {
    '201': {
      description: 'The image is kept.',
      headers: {
        Location: {
          description: 'Where the new resource is.',
          required: true,
          schema: { type: 'string' },
          example: '/api/images/019a8f00-0011-7000-8000-000000000011',
        },
      },
      content: {
        'application/json': {
          schema: ImageSchema,
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
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '413': ImageTooLargeResponse,
    '415': NoImageResponse,
    '422': ImageRefusedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const sendEmail = route({
  method: 'post',
  path: '/api/email',
  operationId: 'sendEmail',
  'x-sdk': 'email.send',
  'x-large-body': true,
  summary: 'Send mail',
  description:
    'One mail to each recipient, who sees no other. Kept and tried again until the mail server takes it. Needs `text`, `html` or both.\nA person may send to 500 recipients an hour.\n',
  tags: ['Email'],
  'x-scopes': ['email:send'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth', 'apiKey'),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: EmailRequestSchema,
          example: {
            recipients: ['ana@reef.example'],
            subject: 'Survey of Lizard Island',
            text: 'The boats leave at six on Tuesday.',
          },
        },
      },
    },
  },
  responses: {
    '202': {
      description: 'The mails are on their way.',
      content: {
        'application/json': {
          schema: EmailAcceptedSchema,
          example: { emailIds: ['019a8f00-000b-7000-8000-00000000000b'] },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '429': TooManyAttemptsResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const refreshToken = route({
  method: 'post',
  path: '/api/auth/token',
  operationId: 'refreshToken',
  'x-sdk': 'auth.refresh',
  summary: 'Refresh a token',
  description:
    'Takes a refresh token, which is then used up, and gives new tokens. A repetition within 30 seconds (a lost reply) gives the same\nrefresh token again; a later one ends the whole session, since somebody else may hold the token.\n',
  tags: ['Auth'],
  security: anyOf(),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: TokenRequestSchema,
          example: { refreshToken: 'fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E' },
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'New tokens.',
      content: {
        'application/json': {
          schema: TokensSchema,
          example: {
            token: 'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIwMTlhOGYwMC0wMDAxIiwibiI6Mn0.c2lnbmF0dXJl',
            refreshToken: 'fsr_p9Rk2LxW0vTq7YhB4nZc8sJ1mDfG6uEoXiA3wKt5QbU',
            expiresIn: 3600,
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': InvalidRefreshTokenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const resetPassword = route({
  method: 'post',
  path: '/api/auth/reset-password',
  operationId: 'resetPassword',
  'x-sdk': 'auth.resetPassword',
  summary: 'Set a new password with a mailed token',
  description: 'Ends every session of the account, and tells its owner by mail. API keys go on.\n',
  tags: ['Auth'],
  security: anyOf(),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: ResetPasswordRequestSchema,
          example: { token: 'fsp_9xQm2LrTz8VbKc4WnYh7JdPf1SgAe6Ui3OoRl5XwZtM', password: 'quiet-lagoons-hold-rain' },
        },
      },
    },
  },
  responses: {
    '204': { description: 'The password is set.' },
    '400': ResetRefusedResponse,
    '429': TooManyAttemptsResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const register = route({
  method: 'post',
  path: '/api/auth/register',
  operationId: 'register',
  'x-sdk': 'auth.register',
  summary: 'Register',
  description:
    'Creates an account with the role USER, where the service allows registration. From one\nnetwork at most 20 an hour.\n',
  tags: ['Auth'],
  security: anyOf(),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: RegisterRequestSchema,
          example: { email: 'ana@reef.example', password: 'slow-tides-carry-sand', name: 'Ana Torres' },
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'The account exists.',
      content: {
        'application/json': { schema: RegistrationSchema, example: { userId: '019a8f00-0001-7000-8000-000000000001' } },
      },
    },
    '400': RegistrationRefusedResponse,
    '403': RegistrationClosedResponse,
    '429': TooManyAttemptsResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const recoverPassword = route({
  method: 'post',
  path: '/api/auth/recover-password',
  operationId: 'recoverPassword',
  'x-sdk': 'auth.recoverPassword',
  summary: 'Ask for a way back in',
  description:
    'Mails a link that sets a new password, good for one use within an hour. The answer is the same whether there is such an account or not.\nNobody gets more than three such mails an hour.\n',
  tags: ['Auth'],
  security: anyOf(),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: { 'application/json': { schema: RecoverPasswordRequestSchema, example: { email: 'ana@reef.example' } } },
    },
  },
  responses: {
    '202': { description: 'Taken. A mail is on its way if there is such an account.' },
    '400': InvalidRequestResponse,
    '429': TooManyAttemptsResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getProfile = route({
  method: 'get',
  path: '/api/auth/profile',
  operationId: 'getProfile',
  'x-sdk': 'auth.profile',
  summary: 'Show who is signed in',
  description: 'Gives the person behind the credentials, with their roles.\n',
  tags: ['Auth'],
  'x-scopes': [],
  security: anyOf('bearerAuth', 'apiKey'),
  request: { query: noQuery },
  responses: {
    '200': {
      description: 'The person.',
      content: {
        'application/json': {
          schema: ProfileSchema,
          examples: {
            worker: {
              summary: 'She may also run workers',
              value: {
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
            },
            user: {
              summary: 'She has the rights of everyone',
              value: {
                user: {
                  id: '019a8f00-0001-7000-8000-000000000001',
                  email: 'ana@reef.example',
                  name: 'Ana Torres',
                  roles: ['USER'],
                  isInMailingList: false,
                  isPluginUser: false,
                  wantsJobMail: true,
                  createdAt: '2026-03-02T21:14:05.120Z',
                  updatedAt: '2026-03-02T21:16:40.000Z',
                },
              },
            },
            admin: {
              summary: 'She is an admin',
              value: {
                user: {
                  id: '019a8f00-0001-7000-8000-000000000001',
                  email: 'ana@reef.example',
                  name: 'Ana Torres',
                  roles: ['USER', 'ADMIN'],
                  isInMailingList: false,
                  isPluginUser: false,
                  wantsJobMail: true,
                  createdAt: '2026-03-02T21:14:05.120Z',
                  updatedAt: '2026-03-02T21:16:40.000Z',
                },
              },
            },
          },
        },
      },
    },
    '401': UnauthenticatedResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const logoutAll = route({
  method: 'post',
  path: '/api/auth/logout-all',
  operationId: 'logoutAll',
  'x-sdk': 'auth.logoutAll',
  summary: 'Sign out everywhere',
  description: 'Ends all my sessions, this one too. API keys go on, and so do tokens of other issuers.\n',
  tags: ['Auth'],
  security: anyOf('bearerAuth'),
  request: { query: noQuery },
  responses: {
    '204': { description: 'All sessions are over.' },
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const logout = route({
  method: 'post',
  path: '/api/auth/logout',
  operationId: 'logout',
  'x-sdk': 'auth.logout',
  summary: 'Sign out',
  description: 'Ends the session that the access token belongs to, and its refresh token.\n',
  tags: ['Auth'],
  security: anyOf('bearerAuth'),
  request: { query: noQuery },
  responses: {
    '204': { description: 'Signed out.' },
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const login = route({
  method: 'post',
  path: '/api/auth/login',
  operationId: 'login',
  'x-sdk': 'auth.login',
  summary: 'Sign in',
  description:
    'Gives an access token and a refresh token. The answer does not tell whether an account exists.\nFive wrong passwords are free; then there are pauses, and from the tenth on the account is closed for 15 minutes (429).\n',
  tags: ['Auth'],
  security: anyOf(),
  request: {
    query: noQuery,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: LoginRequestSchema,
          example: { email: 'ana@reef.example', password: 'slow-tides-carry-sand' },
        },
      },
    },
  },
  responses: {
    '200': {
      description: 'Signed in.',
      content: {
        'application/json': {
          schema: TokensSchema,
          example: {
            token: 'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIwMTlhOGYwMC0wMDAxIn0.c2lnbmF0dXJl',
            refreshToken: 'fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E',
            expiresIn: 3600,
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': InvalidCredentialsResponse,
    '429': TooManyAttemptsResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const listAuditEvents = route({
  method: 'get',
  path: '/api/admin/audit',
  operationId: 'listAuditEvents',
  'x-sdk': 'admin.audit',
  summary: 'List what was done to accounts',
  description:
    'Who did what to whom, when and from where: signing in and failing to, passwords, roles, keys, accounts. Newest first; nothing is ever changed\nor taken away.\n',
  tags: ['Admin'],
  'x-roles': ['ADMIN'],
  security: anyOf('bearerAuth'),
  request: {
    query: z.strictObject({
      get action() {
        return AuditActionSchema.optional().openapi({
          param: { name: 'action', in: 'query', description: 'Events of this kind.' },
        } as never)
      },
      get actorId() {
        return IdSchema.optional().openapi({
          param: { name: 'actorId', in: 'query', description: 'What this person did.' },
        } as never)
      },
      get userId() {
        return IdSchema.optional().openapi({
          param: { name: 'userId', in: 'query', description: 'What happened to this person.' },
        } as never)
      },
      get after() {
        return text({ format: 'date-time' })
          .optional()
          .openapi({
            param: {
              name: 'after',
              in: 'query',
              description: 'Events after this instant.',
              example: '2026-03-01T00:00:00.000Z',
            },
          } as never)
      },
      get before() {
        return text({ format: 'date-time' })
          .optional()
          .openapi({
            param: {
              name: 'before',
              in: 'query',
              description: 'Events before this instant.',
              example: '2026-04-01T00:00:00.000Z',
            },
          } as never)
      },
      get limit() {
        return z
          .preprocess(toNumber, z.int().min(1).max(200))
          .default(50)
          .openapi({
            param: { name: 'limit', in: 'query', description: 'At most so many items.', example: 50 },
            type: 'integer',
            minimum: 1,
            maximum: 200,
            default: 50,
          } as never)
      },
      get cursor() {
        return CursorSchema.optional().openapi({
          param: { name: 'cursor', in: 'query', description: 'The `nextCursor` of the page before.' },
        } as never)
      },
    }),
  },
  responses: {
    '200': {
      description: 'A page of events.',
      content: {
        'application/json': {
          schema: AuditEventPageSchema,
          examples: {
            usual: {
              summary: 'One event',
              value: {
                items: [
                  {
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
                ],
              },
            },
            empty: { summary: 'Nothing is there', value: { items: [] } },
          },
        },
      },
    },
    '400': InvalidRequestResponse,
    '401': UnauthenticatedResponse,
    '403': ForbiddenResponse,
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

export const getJwks = route({
  method: 'get',
  path: '/.well-known/jwks.json',
  operationId: 'getJwks',
  'x-sdk': 'auth.jwks',
  summary: 'List the keys that verify tokens',
  description: 'An RFC 7517 key set. During a rotation it holds the old keys too.\n',
  tags: ['Auth'],
  security: anyOf(),
  request: { query: noQuery },
  responses: {
    '200': {
      description: 'The keys.',
      content: {
        'application/json': {
          schema: JwksSchema,
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
        },
      },
    },
    '503': ServiceUnavailableResponse,
    '4XX': ClientErrorResponse,
    '5XX': ServerErrorResponse,
  },
})

/** Operations that are open to everyone. */
export type PublicOperation =
  | 'getResetPasswordPage'
  | 'getReadiness'
  | 'getContract'
  | 'getLiveness'
  | 'getDocs'
  | 'recoverUserPassword'
  | 'refreshToken'
  | 'resetPassword'
  | 'register'
  | 'recoverPassword'
  | 'login'
  | 'getJwks'

/** Every route, in the order in which they must be registered. */
export const routes = {
  getResetPasswordPage,
  getReadiness,
  getContract,
  getLiveness,
  getDocs,
  deleteSession,
  listSessions,
  changePassword,
  deleteApiKey,
  listApiKeys,
  createApiKey,
  getMe,
  updateMe,
  deleteMe,
  recoverUserPassword,
  deleteUserApiKey,
  listUserApiKeys,
  getUser,
  updateUser,
  deleteUser,
  listUsers,
  createUser,
  createLayerUpload,
  completeLayer,
  deleteLayer,
  getRegion,
  putRegion,
  deleteRegion,
  listRegions,
  importPolygons,
  listPolygonNotes,
  getPolygon,
  replacePolygon,
  deletePolygon,
  listPolygons,
  createPolygon,
  getNote,
  replaceNote,
  deleteNote,
  listNotes,
  createNote,
  listJobRequests,
  pollJobs,
  claimJobs,
  createUploads,
  reportResult,
  releaseJob,
  appendLogs,
  listInputs,
  heartbeat,
  assignJob,
  listJobLogs,
  streamJobEvents,
  downloadJob,
  cancelJob,
  getJob,
  listJobs,
  createJob,
  getJobType,
  listJobTypes,
  createImageUpload,
  getImageMetadata,
  completeImageUpload,
  getImage,
  updateImage,
  deleteImage,
  listImages,
  createImage,
  sendEmail,
  refreshToken,
  resetPassword,
  register,
  recoverPassword,
  getProfile,
  logoutAll,
  logout,
  login,
  listAuditEvents,
  getJwks,
}
