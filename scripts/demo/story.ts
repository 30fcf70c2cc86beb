import { openAsBlob } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import {
  type Client,
  createClient,
  type JobId,
  type JobResult,
  type JobType,
  type Layer,
  type SucceededJob,
} from '../../sdk/index.ts'
import { downloadFile, uploadLayerFile } from '../../sdk/node.ts'
import { cone, criteria, outline, plots, region, writeElevation } from './maungawhau.ts'
import { hectares, percent, readSites, showSites } from './site-table.ts'
import { newPassword, type Stage } from './stage.ts'
import type { Terminal } from './terminal.ts'

export interface StoryOptions extends Omit<Stage, typeof Symbol.asyncDispose> {
  /** Where the results go. */
  outDir: string
  terminal: Terminal
  signal: AbortSignal
}

const layer = 'elevation'
const regional = { type: 'REGIONAL_ASSESSMENT', inputPayload: { region: region.name, criteria } } as const

/** Plays the main job of Fieldstation, through the SDK as anybody would. */
export async function tellStory(options: StoryOptions): Promise<void> {
  const { baseUrl, outDir, terminal, signal } = options

  terminal.heading('An admin loads the terrain')
  await loadTerrain(options)

  terminal.heading('A person draws where to look')
  const person = await newPerson(baseUrl, options)
  const { id: polygonId, areaSquareMeters } = await person.polygons.create(cone, { signal })
  terminal.done(`"${cone.name}" is drawn: ${outline.length - 1} corners around ${hectares(areaSquareMeters)}`)

  terminal.heading('Which ground of the region is high and gentle?')
  const started = await person.jobs.create(regional, { signal })
  const ground = await watch(person, started.jobId, options)
  showGround(ground.resultPayload, terminal)
  const maps = await fetchResults(person, ground, options)

  terminal.heading('Which plots of the cone are the best?')
  const search = {
    type: 'SUITABILITY_ASSESSMENT',
    inputPayload: { region: region.name, criteria, ...plots, polygonId },
  } as const
  const { jobId } = await person.jobs.create(search, { signal })
  const found = await watch(person, jobId, options)
  const results = await fetchResults(person, found, options)
  showSites(await readSites(join(outDir, 'sites.geojson')), found.resultPayload, terminal)

  terminal.heading('And once more')
  const again = await person.jobs.create(search, { signal })
  if (!again.cached || again.jobId !== jobId) throw new Error('The same question was computed a second time.')
  terminal.done('The same question is answered at once, with the job that is there already (cached: true)')

  terminal.heading('What is kept with the place')
  const place = await keepWithPlace(person, polygonId, found.resultPayload.sites, options)

  terminal.heading('What there is to look at')
  const paths = [...maps, ...results, place].map((path) => relative('.', path))
  for (const path of paths) terminal.line(`  ${path.endsWith('.png') ? '▣' : ' '} ${path}`)
}

async function loadTerrain({ baseUrl, admin: credentials, directory, terminal, signal }: StoryOptions): Promise<void> {
  const admin = createClient({ baseUrl, credentials })
  const { email, roles } = await admin.users.me({ signal })
  terminal.done(`${email} is signed in (${roles.join(', ')})`)

  const { title, description } = region
  await admin.regions.put(region.name, { title, description }, { signal })
  terminal.done(`The region ${region.name} exists: "${title}"`)

  const path = join(directory, `${layer}.tif`)
  await writeElevation(path)
  const startedAtMs = performance.now()
  const { status, reason, raster } = await terminal.during('Uploading, then waiting for the inspection', () =>
    uploadLayerFile(admin, region.name, layer, path, {
      signal,
      onChange: (change) => showUpload(change, terminal),
    }),
  )
  if (status !== 'READY' || !raster) throw new Error(`The layer is ${status}: ${reason ?? 'nobody knows why'}`)
  terminal.done(`The layer is ${status}`, performance.now() - startedAtMs)
  showRaster(raster, terminal)
}

function showUpload({ name, version, status, sizeBytes }: Layer, terminal: Terminal): void {
  if (status !== 'INSPECTING') return
  terminal.done(`${name} version ${version} is uploaded by signed URL: a GeoTIFF of ${count(sizeBytes)} bytes`)
}

function showRaster(raster: NonNullable<Layer['raster']>, terminal: Terminal): void {
  const { width, height, resolution, crs, extent, bbox, minimum, maximum } = raster
  const [west, south, east, north] = bbox.map((degrees) => degrees.toFixed(4))
  terminal.line(`      Grid       ${width} x ${height} cells of ${resolution.join(' x ')} m`)
  terminal.line(`      CRS        ${crs.epsg === undefined ? crs.proj4 : `EPSG:${crs.epsg}`}`)
  terminal.line(`      Extent     ${extent.join(', ')}`)
  terminal.line(`                 ${west} to ${east} east, ${south} to ${north} north`)
  terminal.line(`      Elevation  ${minimum} to ${maximum} m`)
}

async function newPerson(baseUrl: string, { terminal, signal }: StoryOptions): Promise<Client> {
  const credentials = { email: 'mere@fieldstation.example', password: newPassword() }
  const person = createClient({ baseUrl, credentials })
  await person.auth.register({ ...credentials, name: 'Mere' }, { signal })
  const { email } = await person.users.me({ signal })
  terminal.done(`${email} has registered and is signed in`)
  return person
}

/** Shows what becomes of a job as it happens, and gives it when it is over. */
async function watch<T extends JobType>(
  client: Client,
  jobId: JobId<T>,
  { terminal, signal }: StoryOptions,
): Promise<SucceededJob<T>> {
  const startedAtMs = performance.now()
  for await (const event of client.jobs.events(jobId, { signal })) {
    if (event.kind === 'log') terminal.line(`      ${event.message}`)
    else if (event.kind === 'progress') terminal.progress(event.progress, 'IN_PROGRESS')
    else terminal.progress(event.status === 'SUCCEEDED' ? 1 : 0, event.status)
  }
  const job = await client.jobs.wait(jobId, { throwOnFailure: true, signal })
  terminal.done(`${job.type} has ${job.status}`, performance.now() - startedAtMs)
  return job
}

/** Both kinds have one, and all results lie side by side. */
const summaryNames: Partial<Record<JobType, string>> = {
  REGIONAL_ASSESSMENT: 'regional-summary.json',
  SUITABILITY_ASSESSMENT: 'suitability-summary.json',
}

/** Fetches every file of the job, and gives their paths. */
async function fetchResults(client: Client, { id, type }: SucceededJob, { outDir, signal }: StoryOptions) {
  const { files } = await client.jobs.download(id, undefined, { signal })
  const paths: string[] = []
  for (const [name, url] of Object.entries(files)) {
    const path = join(outDir, name === 'summary.json' ? (summaryNames[type] ?? name) : name)
    await downloadFile(url, path, { signal })
    paths.push(path)
  }
  return paths
}

/** A note and a picture of the place; and the place itself, as GIS programs open it. Gives the path of that. */
async function keepWithPlace(
  person: Client,
  polygonId: string,
  sites: number,
  { outDir, terminal, signal }: StoryOptions,
): Promise<string> {
  const content = `${sites} plots would do. The map is attached.`
  const { id: noteId } = await person.notes.create({ polygonId, content }, { signal })
  const map = await openAsBlob(join(outDir, 'sites.png'))
  const { name, width, height } = await person.images.create(map, { name: 'sites.png', polygonId, noteId }, { signal })
  terminal.done(`A note: "${content}" With it ${name}, ${width} x ${height} pixels`)

  const path = join(outDir, 'polygons.geojson')
  await writeFile(path, JSON.stringify(await person.polygons.features({}, { signal })))
  terminal.done('The polygon as a FeatureCollection, which QGIS opens')
  return path
}

function showGround(result: JobResult<'REGIONAL_ASSESSMENT'>, terminal: Terminal): void {
  const { suitableCells, validCells, suitableAreaSquareMeters } = result
  const share = percent(suitableCells / validCells)
  terminal.line(`      ${hectares(suitableAreaSquareMeters)} of the region will do: ${share} of what is known`)
}

const count = (value: number) => value.toLocaleString('en')
