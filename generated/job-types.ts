// Generated from openapi/ by `npm run generate`. Do not edit.

import { z } from '@hono/zod-openapi'

import { untyped } from '../src/formats.ts'

import {
  RasterInspectionJobSchema,
  RasterInspectionResultSchema,
  RegionalAssessmentJobSchema,
  RegionalAssessmentResultSchema,
  SuitabilityAssessmentJobSchema,
  SuitabilityAssessmentResultSchema,
  TestJobSchema,
  TestResultSchema,
} from './schemas.ts'

/** The job types of the contract. */
export const jobTypes = {
  RASTER_INSPECTION: {
    type: 'RASTER_INSPECTION',
    title: 'Inspect an uploaded raster',
    version: 1,
    isInternal: true,
    isCacheable: false,
    leaseSeconds: 60,
    timeoutSeconds: 1800,
    maxAttempts: 3,
    compute: { cpuUnits: 512, memoryMiB: 1024 },
    description: 'Looks into a raster that was uploaded as a layer. The service starts it when a layer is completed.',
    jobSchema: 'RasterInspectionJob',
    resultSchema: 'RasterInspectionResult',
    input: untyped(z.lazy(() => RasterInspectionJobSchema.unwrap().shape.inputPayload)),
    result: untyped(RasterInspectionResultSchema),
  },
  REGIONAL_ASSESSMENT: {
    type: 'REGIONAL_ASSESSMENT',
    title: 'Assess a region',
    version: 1,
    isInternal: false,
    isCacheable: true,
    leaseSeconds: 60,
    timeoutSeconds: 3600,
    maxAttempts: 3,
    compute: { cpuUnits: 1024, memoryMiB: 1024 },
    description:
      'Marks the cells of a region that meet all criteria. Files: `suitable.tif` (a tiled, deflate-compressed GeoTIFF: 1 suitable, 0 not, 255 no data),\n`preview.png` and `summary.json`.\n',
    jobSchema: 'RegionalAssessmentJob',
    resultSchema: 'RegionalAssessmentResult',
    input: untyped(z.lazy(() => RegionalAssessmentJobSchema.unwrap().shape.inputPayload)),
    result: untyped(RegionalAssessmentResultSchema),
  },
  SUITABILITY_ASSESSMENT: {
    type: 'SUITABILITY_ASSESSMENT',
    title: 'Find suitable sites',
    version: 1,
    isInternal: false,
    isCacheable: true,
    leaseSeconds: 60,
    timeoutSeconds: 3600,
    maxAttempts: 3,
    compute: { cpuUnits: 1024, memoryMiB: 1024 },
    description:
      'Finds the places where a site of a given size would suit best, each of them wholly within the polygon, where one is given. Files: `sites.geojson` (candidate rectangles that do not overlap, ranked by score),\n`sites.png` and `summary.json`.\n',
    jobSchema: 'SuitabilityAssessmentJob',
    resultSchema: 'SuitabilityAssessmentResult',
    input: untyped(z.lazy(() => SuitabilityAssessmentJobSchema.unwrap().shape.inputPayload)),
    result: untyped(SuitabilityAssessmentResultSchema),
  },
  TEST: {
    type: 'TEST',
    title: 'Try a deployment out',
    version: 1,
    isInternal: false,
    isCacheable: true,
    leaseSeconds: 20,
    timeoutSeconds: 900,
    maxAttempts: 3,
    compute: { cpuUnits: 256, memoryMiB: 512 },
    description: 'Sleeps and answers what it was given. For trying a deployment out.',
    jobSchema: 'TestJob',
    resultSchema: 'TestResult',
    input: untyped(z.lazy(() => TestJobSchema.unwrap().shape.inputPayload)),
    result: untyped(TestResultSchema),
  },
} as const
