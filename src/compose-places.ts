import type { Sql } from './db/sql.ts'
import { discardedFiles } from './files/discarded-files.ts'
import { fileChores } from './files/file-chores.ts'
import { imageService } from './images/image-service.ts'
import { imageStore } from './images/image-store.ts'
import type { Log } from './log.ts'
import { noteService } from './notes/note-service.ts'
import { noteStore } from './notes/note-store.ts'
import { polygonService } from './polygons/polygon-service.ts'
import { polygonStore } from './polygons/polygon-store.ts'
import { assessmentInputs } from './regions/assessment-inputs.ts'
import { layerStore } from './regions/layer-store.ts'
import { regionService } from './regions/region-service.ts'
import { regionStore } from './regions/region-store.ts'
import type { ObjectStore } from './store/object-store.ts'

export interface PlaceParts {
  sql: Sql
  store: ObjectStore
  /** The largest image. */
  imageLimitBytes: number
  log: Log
}

export type Places = ReturnType<typeof composePlaces>

/** Places, what is written about them and what shows them; and the files of all that. */
export function composePlaces({ sql, store, imageLimitBytes, log }: PlaceParts) {
  const [regionRows, layerRows, imageRows] = [regionStore(sql), layerStore(sql), imageStore(sql)]
  const files = discardedFiles({ sql, store, log })
  const polygons = polygonService({ sql, polygons: polygonStore(sql) })
  const notes = noteService({ notes: noteStore(sql), polygons })

  return {
    services: {
      polygons,
      notes,
      images: imageService({ sql, images: imageRows, store, polygons, notes, files, limitBytes: imageLimitBytes, log }),
      regions: regionService({ regions: regionRows, layers: layerRows }),
    },
    layers: layerRows,
    /** What jobs refer to. */
    resolvers: assessmentInputs({ regions: regionRows, layers: layerRows, polygons }),
    chores: {
      'measure polygons': polygons.measureOld,
      ...fileChores({ sql, store, images: imageRows, layers: layerRows, files }),
    },
  }
}
