/** Stands in for a worker that cannot start. */
process.exit(3)
