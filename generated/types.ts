// Generated from openapi/ by `npm run generate`. Do not edit.

export interface paths {
  '/api/auth/register': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Register
     * @description Creates an account with the role USER, where the service allows registration. From one
     *     network at most 20 an hour.
     */
    post: operations['register']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/login': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Sign in
     * @description Gives an access token and a refresh token. The answer does not tell whether an account exists.
     *     Five wrong passwords are free; then there are pauses, and from the tenth on the account is closed for 15 minutes (429).
     */
    post: operations['login']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/token': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Refresh a token
     * @description Takes a refresh token, which is then used up, and gives new tokens. A repetition within 30 seconds (a lost reply) gives the same
     *     refresh token again; a later one ends the whole session, since somebody else may hold the token.
     */
    post: operations['refreshToken']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/logout': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Sign out
     * @description Ends the session that the access token belongs to, and its refresh token.
     */
    post: operations['logout']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/logout-all': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Sign out everywhere
     * @description Ends all my sessions, this one too. API keys go on, and so do tokens of other issuers.
     */
    post: operations['logoutAll']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/recover-password': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Ask for a way back in
     * @description Mails a link that sets a new password, good for one use within an hour. The answer is the same whether there is such an account or not.
     *     Nobody gets more than three such mails an hour.
     */
    post: operations['recoverPassword']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/reset-password': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Set a new password with a mailed token
     * @description Ends every session of the account, and tells its owner by mail. API keys go on.
     */
    post: operations['resetPassword']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/reset-password': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Set a new password, as a page
     * @description Where the link of a recovery mail leads, unless `PASSWORD_RESET_URL` names a page of your own. The token is in the address after `#`,
     *     which browsers keep to themselves.
     */
    get: operations['getResetPasswordPage']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/profile': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show who is signed in
     * @description Gives the person behind the credentials, with their roles.
     */
    get: operations['getProfile']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/.well-known/jwks.json': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List the keys that verify tokens
     * @description An RFC 7517 key set. During a rotation it holds the old keys too.
     */
    get: operations['getJwks']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/me': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show me
     * @description Gives the person behind the credentials.
     */
    get: operations['getMe']
    put?: never
    post?: never
    /**
     * Delete me
     * @description Ends my sessions and API keys, withdraws my wishes for jobs that are not over, and frees my email. My polygons and what my jobs made stay, for
     *     admins. The last admin cannot go.
     */
    delete: operations['deleteMe']
    options?: never
    head?: never
    /**
     * Change me
     * @description Changes what a person may change of themselves.
     */
    patch: operations['updateMe']
    trace?: never
  }
  '/api/users/me/api-keys': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List my API keys
     * @description Newest first, without the keys themselves. Revoked and expired keys are gone.
     */
    get: operations['listApiKeys']
    put?: never
    /**
     * Create an API key
     * @description The answer holds the key, this once. The scope `jobs:work` can be given by people with the role WORKER or ADMIN alone, `regions:write` and
     *     `email:send` by admins alone. A key never has the rights of an admin beyond its scopes.
     */
    post: operations['createApiKey']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/me/api-keys/{apiKeyId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /**
     * Revoke an API key
     * @description It stops working at once, or within 30 seconds where several processes serve.
     */
    delete: operations['deleteApiKey']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/me/password': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    /**
     * Change my password
     * @description Asks for the present one. Ends all my other sessions, and tells me by mail.
     */
    put: operations['changePassword']
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/me/sessions': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List my sessions
     * @description Where I am signed in, newest first. Sessions that are over are gone.
     */
    get: operations['listSessions']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/me/sessions/{sessionId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /**
     * End one of my sessions
     * @description Its access token stops working at once, or within 30 seconds where several processes serve.
     */
    delete: operations['deleteSession']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List people
     * @description Newest first, without those who are deleted.
     */
    get: operations['listUsers']
    put?: never
    /**
     * Create a person
     * @description Without a `password` the person gets a mail with a link that sets one. Welcomes them by mail either way.
     */
    post: operations['createUser']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/{userId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show a person
     * @description By id, or by email. A person may look at themselves; an admin at everyone.
     */
    get: operations['getUser']
    put?: never
    post?: never
    /**
     * Delete a person
     * @description Ends their sessions and API keys, withdraws their wishes for jobs that are not over, and frees their email. Their polygons and what their jobs
     *     made stay, for admins. The last admin cannot be deleted.
     */
    delete: operations['deleteUser']
    options?: never
    head?: never
    /**
     * Change a person
     * @description Roles are given and taken by admins alone; USER is everyone's. The last admin stays one.
     */
    patch: operations['updateUser']
    trace?: never
  }
  '/api/users/{userId}/recover-password': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Send a person a way back in
     * @description The same as asking for it oneself, by id or email. The answer is the same whether there is such an account or not.
     */
    post: operations['recoverUserPassword']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/{userId}/api-keys': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List a person's API keys
     * @description Newest first, without the keys themselves. Revoked and expired keys are gone.
     */
    get: operations['listUserApiKeys']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/{userId}/api-keys/{apiKeyId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /**
     * Revoke a person's API key
     * @description It stops working at once, or within 30 seconds where several processes serve.
     */
    delete: operations['deleteUserApiKey']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/polygons': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List polygons
     * @description Mine, newest first; for an admin everyone's. With `Accept: application/geo+json` as a FeatureCollection, which GIS programs open.
     */
    get: operations['listPolygons']
    put?: never
    /**
     * Create a polygon
     * @description Takes an RFC 7946 Polygon or MultiPolygon, bare or as a Feature. Rings must be closed, neither cross themselves nor each other, and have
     *     positions in range; they are wound as the RFC asks. An edge over more than 180 degrees of longitude goes the short way, and the polygon
     *     is cut at the antimeridian. Any fault is pointed at.
     */
    post: operations['createPolygon']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/polygons/{polygonId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show a polygon
     * @description For its owner and for admins. With `Accept: application/geo+json` as a Feature.
     */
    get: operations['getPolygon']
    /**
     * Replace a polygon
     * @description Replaces all of it. Send `If-Match` to be sure that nobody has changed it since you read it.
     */
    put: operations['replacePolygon']
    post?: never
    /**
     * Delete a polygon
     * @description Its notes go with it; its images stay, without it. Jobs that used it keep a copy of the geometry they run on.
     */
    delete: operations['deletePolygon']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/polygons/import': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Import polygons
     * @description Makes a polygon of each feature of a FeatureCollection, all or none: everything that is wrong is pointed at, feature by
     *     feature, up to a hundred faults.
     *     Properties are kept; `name` and `description` among them become the polygon's, where they are text, or a number for a name.
     */
    post: operations['importPolygons']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/polygons/{polygonId}/notes': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List the notes of a polygon
     * @description Whoever wrote them, newest first. For the polygon's owner and for admins.
     */
    get: operations['listPolygonNotes']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/notes': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List notes
     * @description Mine, newest first; for an admin everyone's.
     */
    get: operations['listNotes']
    put?: never
    /**
     * Write a note
     * @description About a polygon that is yours; an admin, about any.
     */
    post: operations['createNote']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/notes/{noteId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show a note
     * @description For who wrote it, whose polygon it is about, and admins.
     */
    get: operations['getNote']
    /**
     * Replace a note
     * @description For who wrote it, and admins. Send `If-Match` to be sure that nobody has changed it since you read it.
     */
    put: operations['replaceNote']
    post?: never
    /**
     * Delete a note
     * @description For who wrote it, and admins. Images that belonged to it stay.
     */
    delete: operations['deleteNote']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/images': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List images
     * @description Mine, newest first; for an admin everyone's. Of a polygon or a note: all that belong to it and that I may see, which for the owner of the
     *     polygon is everything. Of one that is not there, or not for me, that is nothing.
     */
    get: operations['listImages']
    put?: never
    /**
     * Upload an image
     * @description PNG, JPEG, WebP, GIF or TIFF, as the bytes say and not the name. The file is kept as it is, byte for byte; what is damaged, is another
     *     kind of file besides, or would unpack to far more than it looks, is refused. Larger than a request may be? Start an upload.
     */
    post: operations['createImage']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/images/uploads': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Start the upload of an image
     * @description Gives a signed URL for a file of exactly this size and checksum. Send the file there, then complete the image. An upload that is not completed within a day is forgotten.
     */
    post: operations['createImageUpload']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/images/{imageId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Fetch an image
     * @description The file itself, byte for byte as it was uploaded, under its name. Ranges and conditions are honoured, HEAD is answered. For who uploaded it,
     *     whose polygon it shows, and admins.
     */
    get: operations['getImage']
    put?: never
    post?: never
    /**
     * Delete an image
     * @description The file goes with it. For who uploaded it, and admins. An upload that was started and is not completed can be cancelled so, by who
     *     started it; what has arrived of it goes within some hours.
     */
    delete: operations['deleteImage']
    options?: never
    head?: never
    /**
     * Change what is known of an image
     * @description Its name, and the polygon and the note that it belongs to. For who uploaded it, and admins.
     */
    patch: operations['updateImage']
    trace?: never
  }
  '/api/images/{imageId}/metadata': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show what is known of an image
     * @description For who uploaded it, whose polygon it shows, and admins.
     */
    get: operations['getImageMetadata']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/images/{imageId}/complete': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Complete the upload of an image
     * @description Looks at the file that has arrived. What is refused is deleted, and the upload with it. Completing it again answers the same.
     */
    post: operations['completeImageUpload']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/regions': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List regions
     * @description By name.
     */
    get: operations['listRegions']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/regions/{region}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show a region
     * @description With its layers.
     */
    get: operations['getRegion']
    /**
     * Write a region
     * @description Creates the region or replaces what describes it. Its layers stay as they are.
     */
    put: operations['putRegion']
    post?: never
    /**
     * Delete a region
     * @description Deletes the region and its layers. Jobs that are under way still find what they read.
     */
    delete: operations['deleteRegion']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/regions/{region}/layers/{layer}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /**
     * Delete a layer
     * @description Deletes every version of the layer. Jobs that are under way still find what they read.
     */
    delete: operations['deleteLayer']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/regions/{region}/layers/{layer}/uploads': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Start a new version of a layer
     * @description Gives a signed URL for a single-band GeoTIFF of exactly this size and checksum. Send the file there, then complete the version.
     */
    post: operations['createLayerUpload']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/regions/{region}/layers/{layer}/complete': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Complete a version of a layer
     * @description Starts the job that inspects the file. The version becomes READY, or REJECTED with the reason. Completing it again answers the same.
     */
    post: operations['completeLayer']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/job-types': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List job types
     * @description All that this service knows, with the schemas of what goes in and what comes out.
     */
    get: operations['listJobTypes']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/job-types/{type}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show a job type
     * @description Its settings and its schemas.
     */
    get: operations['getJobType']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List jobs
     * @description The jobs that I asked for, newest first; for an admin everyone's.
     */
    get: operations['listJobs']
    put?: never
    /**
     * Start a job
     * @description An equal job that is pending, running or succeeded is shared instead of started again (`cached`), where its type allows. Both give
     *     the caller a request of their own. Priority above NORMAL is for admins, and so are unlimited unfinished jobs.
     */
    post: operations['createJob']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/requests': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List job requests
     * @description What I asked for, newest first; for an admin what everyone asked for.
     */
    get: operations['listJobRequests']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/{jobId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Show a job
     * @description For those who asked for it, admins, and workers that hold it or may claim it.
     */
    get: operations['getJob']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/{jobId}/cancel': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Cancel a job
     * @description Withdraws my requests for the job. The job stops when nobody else wants it, or at once when an admin cancels it. A worker learns of it
     *     at its next heartbeat. Cancelling a cancelled job answers the same.
     */
    post: operations['cancelJob']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/{jobId}/logs': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List a job's log
     * @description Oldest first.
     */
    get: operations['listJobLogs']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/{jobId}/events': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Follow a job
     * @description Server-sent events: `status`, `progress` and `log`. Every event so far comes first. Send the last id that you saw as `Last-Event-ID` to go on
     *     from there. The stream ends when the job is final; asking again after its last event answers 204. A comment comes every 15 seconds.
     */
    get: operations['streamJobEvents']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/{jobId}/download': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Get links to a job's files
     * @description The files that the job's result named, and nothing that arrived later.
     */
    get: operations['downloadJob']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/poll': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * See which jobs wait
     * @description The jobs that a worker may claim now, most urgent first. Looking takes none of them: use `claim`, or `assign`.
     */
    get: operations['pollJobs']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/assign': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Take one job
     * @description Takes the named job, or answers 409 if it is not free. A job never has two owners.
     */
    post: operations['assignJob']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/claim': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Take the next jobs
     * @description Takes up to `limit` jobs of the named types, most urgent first, and waits for one if there is none. An empty answer is no error.
     */
    post: operations['claimJobs']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/assignments/{assignmentId}/heartbeat': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Keep an assignment
     * @description Extends the lease and may report progress. 409 tells the worker to stop: the lease is lost, or the job was cancelled.
     */
    post: operations['heartbeat']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/assignments/{assignmentId}/logs': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Add to the log
     * @description The entries become events of the job, in this order.
     */
    post: operations['appendLogs']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/assignments/{assignmentId}/inputs': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Get links to what the job reads
     * @description Signed links to the files that the job's input refers to, as they were when it was created.
     */
    get: operations['listInputs']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/assignments/{assignmentId}/uploads': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Get links for files to upload
     * @description Declares files with their exact size and checksum, and gives a signed URL for each. The result then names all that were declared.
     *     Declaring a file again gives a fresh link; with another size or checksum it is refused.
     */
    post: operations['createUploads']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/assignments/{assignmentId}/release': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Give a job back
     * @description The job waits again at once, and the attempt does not count.
     */
    post: operations['releaseJob']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/jobs/assignments/{assignmentId}/result': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Report the result
     * @description Ends the assignment. The same report again answers the same; another one is refused. Files that were declared but never arrived are
     *     named in a 409 (`upload_incomplete`), and the assignment goes on.
     */
    post: operations['reportResult']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/email': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Send mail
     * @description One mail to each recipient, who sees no other. Kept and tried again until the mail server takes it. Needs `text`, `html` or both.
     *     A person may send to 500 recipients an hour.
     */
    post: operations['sendEmail']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/admin/audit': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * List what was done to accounts
     * @description Who did what to whom, when and from where: signing in and failing to, passwords, roles, keys, accounts. Newest first; nothing is ever changed
     *     or taken away.
     */
    get: operations['listAuditEvents']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/openapi.json': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Get this contract
     * @description The OpenAPI document that all of this is made from.
     */
    get: operations['getContract']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/docs': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Read the documentation
     * @description A page for people, made from this contract. It loads nothing from anywhere.
     */
    get: operations['getDocs']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/livez': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Ask whether the process lives
     * @description Asks nothing else.
     */
    get: operations['getLiveness']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/readyz': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Ask whether the service is ready
     * @description Asks the database and the object store.
     */
    get: operations['getReadiness']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
}
export type webhooks = Record<string, never>
export interface components {
  schemas: {
    /**
     * @description The data of one server-sent event. `event` carries `kind`, `id` carries `id`.
     * @example {
     *       "id": 5,
     *       "kind": "progress",
     *       "at": "2026-03-02T21:40:04.000Z",
     *       "progress": 0.4
     *     }
     */
    JobEvent:
      | components['schemas']['JobStatusEvent']
      | components['schemas']['JobProgressEvent']
      | components['schemas']['JobLogEvent']
    /**
     * Format: email
     * @example ana@reef.example
     */
    Email: string
    /**
     * Format: password
     * @description None that others would guess first, and none that is little more than the email. Any characters will do.
     * @example slow-tides-carry-sand
     */
    NewPassword: string
    /**
     * @description One line, as it is shown to others.
     * @example Ana Torres
     */
    PersonName: string
    /**
     * @description What an account is made from.
     * @example {
     *       "email": "ana@reef.example",
     *       "password": "slow-tides-carry-sand",
     *       "name": "Ana Torres"
     *     }
     */
    RegisterRequest: {
      email: components['schemas']['Email']
      password: components['schemas']['NewPassword']
      name?: components['schemas']['PersonName']
    }
    /**
     * Format: uuid
     * @description A UUID (version 7, so that ids sort by time of creation).
     * @example 019a8f00-0003-7000-8000-000000000003
     */
    Id: string
    /**
     * @description The id of a new account.
     * @example {
     *       "userId": "019a8f00-0001-7000-8000-000000000001"
     *     }
     */
    Registration: {
      userId: components['schemas']['Id']
    }
    /**
     * @description What went wrong, for programs. Codes are added, never renamed.
     * @example polygon_not_found
     * @enum {string}
     */
    ProblemCode:
      | 'invalid_request'
      | 'email_taken'
      | 'unauthenticated'
      | 'invalid_credentials'
      | 'invalid_refresh_token'
      | 'invalid_reset_token'
      | 'forbidden'
      | 'insufficient_scope'
      | 'registration_closed'
      | 'wrong_password'
      | 'identity_not_linked'
      | 'priority_reserved'
      | 'not_found'
      | 'method_not_allowed'
      | 'user_not_found'
      | 'session_not_found'
      | 'api_key_not_found'
      | 'polygon_not_found'
      | 'note_not_found'
      | 'image_not_found'
      | 'region_not_found'
      | 'layer_not_found'
      | 'job_type_not_found'
      | 'job_not_found'
      | 'assignment_not_found'
      | 'request_timeout'
      | 'job_not_available'
      | 'job_finished'
      | 'job_not_succeeded'
      | 'job_cancelled'
      | 'assignment_lost'
      | 'result_conflict'
      | 'file_conflict'
      | 'upload_incomplete'
      | 'last_admin'
      | 'idempotency_in_progress'
      | 'precondition_failed'
      | 'payload_too_large'
      | 'unsupported_media_type'
      | 'range_not_satisfiable'
      | 'unresolved_reference'
      | 'image_refused'
      | 'idempotency_mismatch'
      | 'too_many_active_jobs'
      | 'too_many_attempts'
      | 'internal'
      | 'service_unavailable'
    /**
     * @description One fault of an invalid input, and where it is.
     * @example {
     *       "pointer": "/inputPayload/threshold",
     *       "detail": "Too big: expected number to be <=1"
     *     }
     */
    ProblemError: {
      /** @description JSON Pointer into the body, or `/query/…`, `/path/…`, `/header/…` for a parameter. */
      pointer: string
      detail: string
    }
    /**
     * @description An RFC 9457 problem.
     * @example {
     *       "type": "https://fieldstation.example/problems/polygon-not-found",
     *       "title": "Polygon not found",
     *       "status": 404,
     *       "detail": "There is no polygon 019a8f00-0002-7000-8000-00000000000b that you may see.",
     *       "instance": "/api/polygons/019a8f00-0002-7000-8000-00000000000b",
     *       "code": "polygon_not_found",
     *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
     *     }
     */
    Problem: {
      /**
       * Format: uri
       * @description Names the kind of problem. One per `code`.
       */
      type: string
      /** @description The kind of problem in a few words. */
      title: string
      /** @description The HTTP status. */
      status: number
      /** @description What happened this time, for people. */
      detail?: string
      /** @description The path that was asked for. */
      instance?: string
      code: components['schemas']['ProblemCode']
      /** @description Names this request in our logs. */
      requestId: string
      /** @description For invalid input: each fault and where it is. */
      errors?: components['schemas']['ProblemError'][]
    }
    /**
     * @description What a person signs in with.
     * @example {
     *       "email": "ana@reef.example",
     *       "password": "slow-tides-carry-sand"
     *     }
     */
    LoginRequest: {
      email: components['schemas']['Email']
      /** Format: password */
      password: string
    }
    /**
     * @description Good for one use. Using it gives its successor.
     * @example fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E
     */
    RefreshToken: string
    /**
     * @description An access token, the refresh token that renews it, and how many seconds the first is good for.
     * @example {
     *       "token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIwMTlhOGYwMC0wMDAxIn0.c2lnbmF0dXJl",
     *       "refreshToken": "fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E",
     *       "expiresIn": 3600
     *     }
     */
    Tokens: {
      /** @description The access token (a JWT, RS256). */
      token: string
      refreshToken: components['schemas']['RefreshToken']
      /** @description Seconds that `token` is good for. */
      expiresIn: number
    }
    /**
     * @description The refresh token to use up.
     * @example {
     *       "refreshToken": "fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E"
     *     }
     */
    TokenRequest: {
      refreshToken: components['schemas']['RefreshToken']
    }
    /**
     * @description Whose password is lost.
     * @example {
     *       "email": "ana@reef.example"
     *     }
     */
    RecoverPasswordRequest: {
      email: components['schemas']['Email']
    }
    /**
     * @description A token from a mail, and the password that it sets.
     * @example {
     *       "token": "fsp_9xQm2LrTz8VbKc4WnYh7JdPf1SgAe6Ui3OoRl5XwZtM",
     *       "password": "quiet-lagoons-hold-rain"
     *     }
     */
    ResetPasswordRequest: {
      /** @description What the link of the mail carries after `#token=`. */
      token: string
      password: components['schemas']['NewPassword']
    }
    /**
     * @description USER is everyone. WORKER may take jobs. ADMIN may do everything.
     * @example USER
     * @enum {string}
     */
    Role: 'USER' | 'WORKER' | 'ADMIN'
    /**
     * @description A person, with their roles.
     * @example {
     *       "id": "019a8f00-0001-7000-8000-000000000001",
     *       "email": "ana@reef.example",
     *       "name": "Ana Torres",
     *       "roles": [
     *         "USER",
     *         "WORKER"
     *       ],
     *       "isInMailingList": false,
     *       "isPluginUser": false,
     *       "wantsJobMail": true,
     *       "createdAt": "2026-03-02T21:14:05.120Z",
     *       "updatedAt": "2026-03-02T21:16:40.000Z"
     *     }
     */
    User: {
      id: components['schemas']['Id']
      email: components['schemas']['Email']
      name?: components['schemas']['PersonName']
      roles: components['schemas']['Role'][]
      /** @description Whether the person wants news of the project. */
      isInMailingList: boolean
      /** @description Whether the person works through a desktop plugin. */
      isPluginUser: boolean
      /** @description Whether the person gets a mail when a job of theirs is finished or has failed. */
      wantsJobMail: boolean
      /** Format: date-time */
      createdAt: string
      /** Format: date-time */
      updatedAt: string
    }
    /**
     * @description Who the credentials belong to.
     * @example {
     *       "user": {
     *         "id": "019a8f00-0001-7000-8000-000000000001",
     *         "email": "ana@reef.example",
     *         "name": "Ana Torres",
     *         "roles": [
     *           "USER",
     *           "WORKER"
     *         ],
     *         "isInMailingList": false,
     *         "isPluginUser": false,
     *         "wantsJobMail": true,
     *         "createdAt": "2026-03-02T21:14:05.120Z",
     *         "updatedAt": "2026-03-02T21:16:40.000Z"
     *       }
     *     }
     */
    Profile: {
      user: components['schemas']['User']
    }
    /**
     * @description An RFC 7517 key set. The first key signs; all verify.
     * @example {
     *       "keys": [
     *         {
     *           "kty": "RSA",
     *           "kid": "Nq4kZ1uXbq0",
     *           "use": "sig",
     *           "alg": "RS256",
     *           "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri",
     *           "e": "AQAB"
     *         }
     *       ]
     *     }
     */
    Jwks: {
      keys: {
        /** @enum {string} */
        kty: 'RSA'
        kid: string
        /** @enum {string} */
        use: 'sig'
        /** @enum {string} */
        alg: 'RS256'
        n: string
        e: string
      }[]
    }
    /**
     * @description What a person may change of themselves. What is left out stays.
     * @example {
     *       "name": "Ana Torres-Vega",
     *       "wantsJobMail": true
     *     }
     */
    UserMeUpdate: {
      name?: components['schemas']['PersonName']
      /** @description Whether the person wants news of the project. */
      isInMailingList?: boolean
      /** @description Whether the person works through a desktop plugin. */
      isPluginUser?: boolean
      /** @description Whether the person gets a mail when a job of theirs is finished or has failed. */
      wantsJobMail?: boolean
    }
    /**
     * @description Opaque. Pass it back as it came.
     * @example MDE5YThmMDAtMDAwMy03MDAwLTgwMDAtMDAwMDAwMDAwMDAz
     */
    Cursor: string
    /**
     * @description What an API key may be used for.
     * @example jobs:work
     * @enum {string}
     */
    Scope:
      | 'jobs:read'
      | 'jobs:write'
      | 'jobs:work'
      | 'polygons:read'
      | 'polygons:write'
      | 'notes:read'
      | 'notes:write'
      | 'images:read'
      | 'images:write'
      | 'regions:read'
      | 'regions:write'
      | 'data:read'
      | 'email:send'
    /**
     * @description What can be told of an API key without its secret.
     * @example {
     *       "id": "019a8f00-0006-7000-8000-000000000006",
     *       "name": "Cluster worker",
     *       "scopes": [
     *         "jobs:work"
     *       ],
     *       "prefix": "fs_4kQ9",
     *       "createdAt": "2026-03-02T21:20:00.000Z"
     *     }
     */
    ApiKey: {
      id: components['schemas']['Id']
      name: string
      scopes: components['schemas']['Scope'][]
      /** @description The first characters of the key, to tell keys apart. */
      prefix: string
      /** Format: date-time */
      createdAt: string
      /** Format: date-time */
      expiresAt?: string
      /**
       * Format: date-time
       * @description To the minute.
       */
      lastUsedAt?: string
    }
    /** @description A page of API keys, newest first. */
    ApiKeyPage: {
      items: components['schemas']['ApiKey'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description What an API key is to be called, and what it may be used for.
     * @example {
     *       "name": "Cluster worker",
     *       "scopes": [
     *         "jobs:work"
     *       ]
     *     }
     */
    ApiKeyCreate: {
      /** @description What the key is for. */
      name: string
      scopes: components['schemas']['Scope'][]
      /**
       * Format: date-time
       * @description When the key dies. Without it the key lives until it is revoked.
       */
      expiresAt?: string
    }
    /**
     * @description A new API key. `key` is shown this once.
     * @example {
     *       "id": "019a8f00-0006-7000-8000-000000000006",
     *       "name": "Cluster worker",
     *       "scopes": [
     *         "jobs:work"
     *       ],
     *       "prefix": "fs_4kQ9",
     *       "createdAt": "2026-03-02T21:20:00.000Z",
     *       "key": "fs_4kQ9mB0Zc1pXw7Tt2hVfYl8sUe3nRj6aDgKi5oCqHLM"
     *     }
     */
    ApiKeyCreated: {
      id: components['schemas']['Id']
      name: string
      scopes: components['schemas']['Scope'][]
      prefix: string
      /** Format: date-time */
      createdAt: string
      /** Format: date-time */
      expiresAt?: string
      /** @description The key itself. Shown this once; we keep only a hash. */
      key: string
    }
    /**
     * @description The present password, and the one that follows it.
     * @example {
     *       "currentPassword": "slow-tides-carry-sand",
     *       "newPassword": "quiet-lagoons-hold-rain"
     *     }
     */
    PasswordChange: {
      currentPassword: string
      newPassword: components['schemas']['NewPassword']
    }
    /**
     * @description A place where somebody is signed in.
     * @example {
     *       "id": "019a8f00-000a-7000-8000-00000000000a",
     *       "createdAt": "2026-03-02T21:14:06.000Z",
     *       "lastUsedAt": "2026-03-02T22:14:01.500Z",
     *       "expiresAt": "2026-04-01T22:14:01.500Z",
     *       "isCurrent": true,
     *       "address": "203.0.113.7",
     *       "userAgent": "Mozilla/5.0 (X11; Linux x86_64)"
     *     }
     */
    Session: {
      id: components['schemas']['Id']
      /**
       * Format: date-time
       * @description When I signed in.
       */
      createdAt: string
      /**
       * Format: date-time
       * @description When its refresh token was last used.
       */
      lastUsedAt: string
      /**
       * Format: date-time
       * @description When it ends, unless it is used before.
       */
      expiresAt: string
      /** @description Whether this request was made with it. */
      isCurrent: boolean
      /** @description The network address that I signed in from, where it is known. */
      address?: string
      /** @description What the program that signed in calls itself, shortened. */
      userAgent?: string
    }
    /** @description A page of sessions, newest first. */
    SessionPage: {
      items: components['schemas']['Session'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /** @description A page of people, newest first. */
    UserPage: {
      items: components['schemas']['User'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description A new account, as an admin makes it.
     * @example {
     *       "email": "ana@reef.example",
     *       "name": "Ana Torres",
     *       "roles": [
     *         "USER",
     *         "WORKER"
     *       ]
     *     }
     */
    UserCreate: {
      email: components['schemas']['Email']
      password?: components['schemas']['NewPassword']
      name?: components['schemas']['PersonName']
      /** @description USER is added where it is missing. */
      roles?: components['schemas']['Role'][]
      /** @description Whether the person wants news of the project. */
      isInMailingList?: boolean
      /** @description Whether the person works through a desktop plugin. */
      isPluginUser?: boolean
    }
    /**
     * @description What an admin changes of a person. What is left out stays.
     * @example {
     *       "roles": [
     *         "USER",
     *         "WORKER"
     *       ]
     *     }
     */
    UserUpdate: {
      name?: components['schemas']['PersonName']
      /** @description USER is added where it is missing. */
      roles?: components['schemas']['Role'][]
      /** @description Whether the person wants news of the project. */
      isInMailingList?: boolean
      /** @description Whether the person works through a desktop plugin. */
      isPluginUser?: boolean
    }
    /**
     * @description Four numbers, separated by commas: west, south, east, north.
     * @example 145,-15,146,-14
     */
    BboxText: string
    /**
     * @description Longitude, latitude and perhaps altitude (RFC 7946, section 3.1.1).
     * @example [
     *       145.442,
     *       -14.668
     *     ]
     */
    Position: number[]
    /**
     * @description At least four positions, the last equal to the first.
     * @example [
     *       [
     *         145.442,
     *         -14.668
     *       ],
     *       [
     *         145.461,
     *         -14.668
     *       ],
     *       [
     *         145.461,
     *         -14.651
     *       ],
     *       [
     *         145.442,
     *         -14.651
     *       ],
     *       [
     *         145.442,
     *         -14.668
     *       ]
     *     ]
     */
    LinearRing: components['schemas']['Position'][]
    /**
     * @description An RFC 7946 Polygon. Foreign members are kept out but not refused.
     * @example {
     *       "type": "Polygon",
     *       "coordinates": [
     *         [
     *           [
     *             145.442,
     *             -14.668
     *           ],
     *           [
     *             145.461,
     *             -14.668
     *           ],
     *           [
     *             145.461,
     *             -14.651
     *           ],
     *           [
     *             145.442,
     *             -14.651
     *           ],
     *           [
     *             145.442,
     *             -14.668
     *           ]
     *         ]
     *       ]
     *     }
     */
    PolygonGeometry: {
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'Polygon'
      coordinates: components['schemas']['LinearRing'][]
    }
    /**
     * @description An RFC 7946 MultiPolygon.
     * @example {
     *       "type": "MultiPolygon",
     *       "coordinates": [
     *         [
     *           [
     *             [
     *               145.442,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.668
     *             ]
     *           ]
     *         ]
     *       ]
     *     }
     */
    MultiPolygonGeometry: {
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'MultiPolygon'
      coordinates: components['schemas']['LinearRing'][][]
    }
    /**
     * @description A Polygon or MultiPolygon in CRS84.
     * @example {
     *       "type": "Polygon",
     *       "coordinates": [
     *         [
     *           [
     *             145.442,
     *             -14.668
     *           ],
     *           [
     *             145.461,
     *             -14.668
     *           ],
     *           [
     *             145.461,
     *             -14.651
     *           ],
     *           [
     *             145.442,
     *             -14.651
     *           ],
     *           [
     *             145.442,
     *             -14.668
     *           ]
     *         ]
     *       ]
     *     }
     */
    Area: components['schemas']['PolygonGeometry'] | components['schemas']['MultiPolygonGeometry']
    /**
     * @description West, south, east, north in degrees (RFC 7946, section 5). West is greater than east where the antimeridian lies between them.
     * @example [
     *       145.442,
     *       -14.668,
     *       145.461,
     *       -14.651
     *     ]
     */
    Bbox: number[]
    /**
     * @description A place that somebody drew, and what follows from its shape.
     * @example {
     *       "id": "019a8f00-0002-7000-8000-000000000002",
     *       "userId": "019a8f00-0001-7000-8000-000000000001",
     *       "name": "Lizard Island lagoon",
     *       "polygon": {
     *         "type": "Polygon",
     *         "coordinates": [
     *           [
     *             [
     *               145.442,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.668
     *             ]
     *           ]
     *         ]
     *       },
     *       "bbox": [
     *         145.442,
     *         -14.668,
     *         145.461,
     *         -14.651
     *       ],
     *       "areaSquareMeters": 3849705.05,
     *       "centroid": [
     *         145.4515,
     *         -14.6595
     *       ],
     *       "properties": {},
     *       "createdAt": "2026-03-02T21:30:00.000Z",
     *       "updatedAt": "2026-03-02T21:30:00.000Z"
     *     }
     */
    Polygon: {
      id: components['schemas']['Id']
      userId: components['schemas']['Id']
      polygon: components['schemas']['Area']
      bbox: components['schemas']['Bbox']
      /** @description Geodesic, on the WGS84 ellipsoid. */
      areaSquareMeters: number
      centroid: components['schemas']['Position']
      name?: string
      description?: string
      properties: {
        [key: string]: unknown
      }
      /** Format: date-time */
      createdAt: string
      /** Format: date-time */
      updatedAt: string
    }
    /** @description A page of polygons, newest first. */
    PolygonPage: {
      items: components['schemas']['Polygon'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description A polygon as an RFC 7946 Feature. What the service knows of it stands among its own properties.
     * @example {
     *       "type": "Feature",
     *       "id": "019a8f00-0002-7000-8000-000000000002",
     *       "bbox": [
     *         145.442,
     *         -14.668,
     *         145.461,
     *         -14.651
     *       ],
     *       "geometry": {
     *         "type": "Polygon",
     *         "coordinates": [
     *           [
     *             [
     *               145.442,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.668
     *             ]
     *           ]
     *         ]
     *       },
     *       "properties": {
     *         "name": "Lizard Island lagoon",
     *         "userId": "019a8f00-0001-7000-8000-000000000001",
     *         "areaSquareMeters": 3849705.05,
     *         "createdAt": "2026-03-02T21:30:00.000Z",
     *         "updatedAt": "2026-03-02T21:30:00.000Z"
     *       }
     *     }
     */
    PolygonFeature: {
      /** @enum {string} */
      type: 'Feature'
      id: components['schemas']['Id']
      bbox: components['schemas']['Bbox']
      geometry: components['schemas']['Area']
      properties: {
        [key: string]: unknown
      }
    }
    /** @description A page of polygons as an RFC 7946 FeatureCollection, newest first. `nextCursor` is a foreign member. */
    PolygonFeatureCollection: {
      /** @enum {string} */
      type: 'FeatureCollection'
      features: components['schemas']['PolygonFeature'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description An RFC 7946 Feature whose geometry is an area. Its `properties` become the polygon's, where the request names none.
     * @example {
     *       "type": "Feature",
     *       "properties": {
     *         "habitat": "lagoon"
     *       },
     *       "geometry": {
     *         "type": "Polygon",
     *         "coordinates": [
     *           [
     *             [
     *               145.442,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.668
     *             ]
     *           ]
     *         ]
     *       }
     *     }
     */
    AreaFeature: {
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'Feature'
      geometry: components['schemas']['Area']
      properties?: {
        [key: string]: unknown
      } | null
    }
    /**
     * @description An area, bare or as a Feature.
     * @example {
     *       "type": "Polygon",
     *       "coordinates": [
     *         [
     *           [
     *             145.442,
     *             -14.668
     *           ],
     *           [
     *             145.461,
     *             -14.668
     *           ],
     *           [
     *             145.461,
     *             -14.651
     *           ],
     *           [
     *             145.442,
     *             -14.651
     *           ],
     *           [
     *             145.442,
     *             -14.668
     *           ]
     *         ]
     *       ]
     *     }
     */
    AreaOrFeature:
      | components['schemas']['PolygonGeometry']
      | components['schemas']['MultiPolygonGeometry']
      | components['schemas']['AreaFeature']
    /**
     * @description What a polygon is made of or replaced by.
     * @example {
     *       "name": "Lizard Island lagoon",
     *       "polygon": {
     *         "type": "Polygon",
     *         "coordinates": [
     *           [
     *             [
     *               145.442,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.668
     *             ],
     *             [
     *               145.461,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.651
     *             ],
     *             [
     *               145.442,
     *               -14.668
     *             ]
     *           ]
     *         ]
     *       }
     *     }
     */
    PolygonWrite: {
      polygon: components['schemas']['AreaOrFeature']
      name?: string
      description?: string
      /** @description Whatever you want to keep with it. */
      properties?: {
        [key: string]: unknown
      }
    }
    /**
     * @description An RFC 7946 FeatureCollection of areas. A `crs`, as GeoJSON of 2008 had it, must name CRS84 or EPSG:4326.
     * @example {
     *       "type": "FeatureCollection",
     *       "features": [
     *         {
     *           "type": "Feature",
     *           "properties": {
     *             "name": "Lizard Island lagoon",
     *             "habitat": "lagoon"
     *           },
     *           "geometry": {
     *             "type": "Polygon",
     *             "coordinates": [
     *               [
     *                 [
     *                   145.442,
     *                   -14.668
     *                 ],
     *                 [
     *                   145.461,
     *                   -14.668
     *                 ],
     *                 [
     *                   145.461,
     *                   -14.651
     *                 ],
     *                 [
     *                   145.442,
     *                   -14.651
     *                 ],
     *                 [
     *                   145.442,
     *                   -14.668
     *                 ]
     *               ]
     *             ]
     *           }
     *         }
     *       ]
     *     }
     */
    AreaFeatureCollection: {
      /** @enum {string} */
      type: 'FeatureCollection'
      features: components['schemas']['AreaFeature'][]
      crs?: {
        [key: string]: unknown
      } | null
    }
    /**
     * @description A polygon that was imported, without its shape.
     * @example {
     *       "id": "019a8f00-0002-7000-8000-000000000002",
     *       "name": "Lizard Island lagoon",
     *       "bbox": [
     *         145.442,
     *         -14.668,
     *         145.461,
     *         -14.651
     *       ],
     *       "areaSquareMeters": 3849705.05
     *     }
     */
    ImportedPolygon: {
      id: components['schemas']['Id']
      name?: string
      bbox: components['schemas']['Bbox']
      /** @description Geodesic, on the WGS84 ellipsoid. */
      areaSquareMeters: number
    }
    /**
     * @description What was imported, in the order of the features.
     * @example {
     *       "items": [
     *         {
     *           "id": "019a8f00-0002-7000-8000-000000000002",
     *           "name": "Lizard Island lagoon",
     *           "bbox": [
     *             145.442,
     *             -14.668,
     *             145.461,
     *             -14.651
     *           ],
     *           "areaSquareMeters": 3849705.05
     *         }
     *       ]
     *     }
     */
    PolygonImport: {
      items: components['schemas']['ImportedPolygon'][]
    }
    /**
     * @description What somebody wrote about a polygon.
     * @example {
     *       "id": "019a8f00-0010-7000-8000-000000000010",
     *       "userId": "019a8f00-0001-7000-8000-000000000001",
     *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
     *       "content": "Bleaching on the western edge; come back after the next full moon.",
     *       "createdAt": "2026-03-02T21:36:00.000Z",
     *       "updatedAt": "2026-03-02T21:36:00.000Z"
     *     }
     */
    Note: {
      id: components['schemas']['Id']
      userId: components['schemas']['Id']
      polygonId: components['schemas']['Id']
      content: string
      /** Format: date-time */
      createdAt: string
      /** Format: date-time */
      updatedAt: string
    }
    /** @description A page of notes, newest first. */
    NotePage: {
      items: components['schemas']['Note'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description A note, and the polygon that it is about.
     * @example {
     *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
     *       "content": "Bleaching on the western edge; come back after the next full moon."
     *     }
     */
    NoteCreate: {
      polygonId: components['schemas']['Id']
      content: string
    }
    /**
     * @description What a note says from now on.
     * @example {
     *       "content": "Bleaching on the western edge; no worse a month later."
     *     }
     */
    NoteUpdate: {
      content: string
    }
    /**
     * @description What kind of image it is, as its bytes say.
     * @example image/jpeg
     * @enum {string}
     */
    ImageType: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif' | 'image/tiff'
    /**
     * @description A SHA-256 in lower-case hexadecimal.
     * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
     */
    Sha256: string
    /**
     * @description An image that somebody uploaded.
     * @example {
     *       "id": "019a8f00-0011-7000-8000-000000000011",
     *       "userId": "019a8f00-0001-7000-8000-000000000001",
     *       "name": "récif \"ouest\".jpg",
     *       "contentType": "image/jpeg",
     *       "sizeBytes": 48213,
     *       "width": 1600,
     *       "height": 1200,
     *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
     *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
     *       "createdAt": "2026-03-02T21:37:00.000Z"
     *     }
     */
    Image: {
      id: components['schemas']['Id']
      userId: components['schemas']['Id']
      /** @description The file's name as it was uploaded. */
      name: string
      contentType: components['schemas']['ImageType']
      sizeBytes: number
      /** @description In pixels, before any rotation that its metadata asks for. */
      width: number
      /** @description In pixels, before any rotation that its metadata asks for. */
      height: number
      sha256: components['schemas']['Sha256']
      polygonId?: components['schemas']['Id']
      noteId?: components['schemas']['Id']
      /** Format: date-time */
      createdAt: string
    }
    /** @description A page of images, newest first. */
    ImagePage: {
      items: components['schemas']['Image'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description An image, and what it shows.
     * @example {
     *       "file": "récif \"ouest\".jpg",
     *       "polygonId": "019a8f00-0002-7000-8000-000000000002"
     *     }
     */
    ImageForm: {
      /**
       * Format: binary
       * @description The image itself. Its name is kept.
       */
      file: string
      polygonId?: components['schemas']['Id']
      noteId?: components['schemas']['Id']
    }
    /**
     * @description A file's name, as people have it. Without folders and control characters, and not `.` or `..`, which are folders.
     * @example récif "ouest".jpg
     */
    FileTitle: string
    /**
     * @description The image to come, with the exact size and checksum of its file.
     * @example {
     *       "name": "récif \"ouest\".jpg",
     *       "contentType": "image/jpeg",
     *       "sizeBytes": 48213,
     *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
     *       "polygonId": "019a8f00-0002-7000-8000-000000000002"
     *     }
     */
    ImageUpload: {
      name: components['schemas']['FileTitle']
      contentType: components['schemas']['ImageType']
      /** @description The file's exact size. */
      sizeBytes: number
      sha256: components['schemas']['Sha256']
      polygonId?: components['schemas']['Id']
      noteId?: components['schemas']['Id']
    }
    /**
     * @description A relative name of up to six segments, each starting with a letter, digit or underscore.
     * @example sites.geojson
     */
    FileName: string
    /**
     * @description Where to send a file: one request, with this method and these headers, the file as its body.
     * @example {
     *       "name": "sites.geojson",
     *       "url": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.geojson?signature=Zx1c",
     *       "method": "PUT",
     *       "headers": {
     *         "content-type": "application/geo+json"
     *       },
     *       "expiresAt": "2026-03-02T22:40:08.000Z"
     *     }
     */
    SignedUpload: {
      name: components['schemas']['FileName']
      /** Format: uri */
      url: string
      /** @enum {string} */
      method: 'PUT'
      headers: {
        [key: string]: string
      }
      /** Format: date-time */
      expiresAt: string
    }
    /**
     * @description The id that the image will have, and where to send its file.
     * @example {
     *       "imageId": "019a8f00-0011-7000-8000-000000000011",
     *       "upload": {
     *         "name": "019a8f00-0011-7000-8000-000000000011.jpg",
     *         "url": "http://127.0.0.1:3000/objects/images/019a8f00-0011-7000-8000-000000000011?signature=Zx1c",
     *         "method": "PUT",
     *         "headers": {
     *           "content-type": "image/jpeg"
     *         },
     *         "expiresAt": "2026-03-02T22:37:00.000Z"
     *       }
     *     }
     */
    ImageUploadCreated: {
      imageId: components['schemas']['Id']
      upload: components['schemas']['SignedUpload']
    }
    /**
     * @description What to change of an image. What is left out stays; null takes it away.
     * @example {
     *       "polygonId": "019a8f00-0002-7000-8000-000000000002"
     *     }
     */
    ImageUpdate: {
      name?: components['schemas']['FileTitle']
      /**
       * Format: uuid
       * @description The polygon that it shows.
       */
      polygonId?: string | null
      /**
       * Format: uuid
       * @description The note that it belongs to.
       */
      noteId?: string | null
    }
    /** @example lizard-island */
    RegionName: string
    /** @example depth */
    LayerName: string
    /**
     * @description UPLOADING → INSPECTING → READY or REJECTED.
     * @example READY
     * @enum {string}
     */
    LayerStatus: 'UPLOADING' | 'INSPECTING' | 'READY' | 'REJECTED'
    /**
     * @description What the inspection found in a raster.
     * @example {
     *       "width": 3740,
     *       "height": 4910,
     *       "crs": {
     *         "epsg": 32755,
     *         "name": "WGS 84 / UTM zone 55S",
     *         "proj4": "+proj=utm +zone=55 +south +datum=WGS84 +units=m +no_defs"
     *       },
     *       "extent": [
     *         324150,
     *         8370450,
     *         342850,
     *         8395000
     *       ],
     *       "bbox": [
     *         145.368,
     *         -14.735,
     *         145.543,
     *         -14.512
     *       ],
     *       "resolution": [
     *         5,
     *         5
     *       ],
     *       "dataType": "Float32",
     *       "nodata": -9999,
     *       "minimum": -29.98,
     *       "maximum": -3.7,
     *       "validCells": 7411063
     *     }
     */
    Raster: {
      /** @description Columns. */
      width: number
      /** @description Rows. */
      height: number
      /** @description The coordinate reference system. */
      crs: {
        /** @description Its EPSG code, where the file names one. */
        epsg?: number
        name?: string
        /** @description Its definition as a PROJ string. */
        proj4: string
      }
      /** @description minX, minY, maxX, maxY in the raster's own CRS. */
      extent: number[]
      /** @description West, south, east, north in CRS84 (RFC 7946, section 5). */
      bbox: number[]
      /** @description Cell width and height in the CRS's unit. */
      resolution: number[]
      /** @description For instance `Float32`. */
      dataType: string
      /** @description The value that marks a cell without data. */
      nodata?: number
      /** @description Smallest valid value. */
      minimum: number
      /** @description Largest valid value. */
      maximum: number
      /** @description Cells that have data. */
      validCells: number
    }
    /**
     * @description The newest version of a layer. While it is not READY, assessments go on reading `readyVersion`.
     * @example {
     *       "name": "depth",
     *       "version": 1,
     *       "status": "READY",
     *       "sizeBytes": 16571700,
     *       "inspectionJobId": "019a8f00-0007-7000-8000-000000000007",
     *       "readyVersion": 1,
     *       "raster": {
     *         "width": 3740,
     *         "height": 4910,
     *         "crs": {
     *           "epsg": 32755,
     *           "name": "WGS 84 / UTM zone 55S",
     *           "proj4": "+proj=utm +zone=55 +south +datum=WGS84 +units=m +no_defs"
     *         },
     *         "extent": [
     *           324150,
     *           8370450,
     *           342850,
     *           8395000
     *         ],
     *         "bbox": [
     *           145.368,
     *           -14.735,
     *           145.543,
     *           -14.512
     *         ],
     *         "resolution": [
     *           5,
     *           5
     *         ],
     *         "dataType": "Float32",
     *         "nodata": -9999,
     *         "minimum": -29.98,
     *         "maximum": -3.7,
     *         "validCells": 7411063
     *       },
     *       "createdAt": "2026-03-01T04:00:00.000Z"
     *     }
     */
    Layer: {
      name: components['schemas']['LayerName']
      version: number
      status: components['schemas']['LayerStatus']
      /** @description Why the version was rejected. */
      reason?: string
      sizeBytes: number
      inspectionJobId?: components['schemas']['Id']
      /** @description The version that assessments read. */
      readyVersion?: number
      raster?: components['schemas']['Raster']
      /** Format: date-time */
      createdAt: string
    }
    /**
     * @description A named area with its layers.
     * @example {
     *       "name": "lizard-island",
     *       "title": "Lizard Island",
     *       "description": "The reef slope around Lizard Island.",
     *       "layers": [
     *         {
     *           "name": "depth",
     *           "version": 1,
     *           "status": "READY",
     *           "sizeBytes": 16571700,
     *           "inspectionJobId": "019a8f00-0007-7000-8000-000000000007",
     *           "readyVersion": 1,
     *           "createdAt": "2026-03-01T04:00:00.000Z"
     *         }
     *       ],
     *       "createdAt": "2026-03-01T03:58:00.000Z",
     *       "updatedAt": "2026-03-01T03:58:00.000Z"
     *     }
     */
    Region: {
      name: components['schemas']['RegionName']
      title: string
      description?: string
      layers: components['schemas']['Layer'][]
      /** Format: date-time */
      createdAt: string
      /** Format: date-time */
      updatedAt: string
    }
    /** @description A page of regions, by name. */
    RegionPage: {
      items: components['schemas']['Region'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description What describes a region.
     * @example {
     *       "title": "Lizard Island",
     *       "description": "The reef slope around Lizard Island."
     *     }
     */
    RegionWrite: {
      title: string
      description?: string
    }
    /**
     * @description A media type.
     * @example image/tiff
     */
    ContentType: string
    /**
     * @description The exact size and checksum of the file to upload as a layer.
     * @example {
     *       "sizeBytes": 16571700,
     *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
     *       "contentType": "image/tiff"
     *     }
     */
    LayerUpload: {
      /** @description The file's exact size. */
      sizeBytes: number
      sha256: components['schemas']['Sha256']
      contentType?: components['schemas']['ContentType']
    }
    /**
     * @description The version that the file will be, and where to send it.
     * @example {
     *       "version": 1,
     *       "upload": {
     *         "name": "depth.tif",
     *         "url": "http://127.0.0.1:3000/objects/regions/lizard-island/depth/1.tif?signature=Zx1c",
     *         "method": "PUT",
     *         "headers": {
     *           "content-type": "image/tiff"
     *         },
     *         "expiresAt": "2026-03-01T05:00:00.000Z"
     *       }
     *     }
     */
    LayerUploadCreated: {
      /** @description The version that this upload will be. */
      version: number
      upload: components['schemas']['SignedUpload']
    }
    /**
     * @description Which version has its file now.
     * @example {
     *       "version": 1
     *     }
     */
    LayerComplete: {
      /** @description The version that was uploaded. */
      version: number
    }
    /**
     * @description What kind of job.
     * @example TEST
     * @enum {string}
     */
    JobType: 'RASTER_INSPECTION' | 'REGIONAL_ASSESSMENT' | 'SUITABILITY_ASSESSMENT' | 'TEST'
    /**
     * @description What a kind of job takes and gives, and how it runs.
     * @example {
     *       "type": "TEST",
     *       "title": "Try a deployment out",
     *       "version": 1,
     *       "isInternal": false,
     *       "isCacheable": true,
     *       "leaseSeconds": 20,
     *       "timeoutSeconds": 900,
     *       "maxAttempts": 3,
     *       "compute": {
     *         "cpuUnits": 256,
     *         "memoryMiB": 512
     *       },
     *       "inputSchema": {
     *         "type": "object",
     *         "required": [
     *           "id"
     *         ],
     *         "properties": {
     *           "id": {
     *             "type": "integer"
     *           }
     *         }
     *       }
     *     }
     */
    JobTypeDescription: {
      type: components['schemas']['JobType']
      title: string
      description?: string
      /** @description Grows when equal input may give another result. */
      version: number
      /** @description Started by the service itself and by nobody else. */
      isInternal: boolean
      /** @description Equal input is answered with the job that is there already. */
      isCacheable: boolean
      /** @description How long a worker may stay silent. */
      leaseSeconds: number
      /** @description How long one attempt may take, heartbeats or not. */
      timeoutSeconds: number
      maxAttempts: number
      compute: {
        /** @description 1024 are one core. */
        cpuUnits: number
        memoryMiB: number
      }
      /** @description The schema of `inputPayload`. References point into `/openapi.json`. */
      inputSchema: {
        [key: string]: unknown
      }
      /** @description The schema of `resultPayload`. */
      resultSchema?: {
        [key: string]: unknown
      }
    }
    /**
     * @description The job types, all on one page.
     * @example {
     *       "items": [
     *         {
     *           "type": "SUITABILITY_ASSESSMENT",
     *           "title": "Find suitable sites",
     *           "version": 1,
     *           "isInternal": false,
     *           "isCacheable": true,
     *           "leaseSeconds": 60,
     *           "timeoutSeconds": 3600,
     *           "maxAttempts": 3,
     *           "compute": {
     *             "cpuUnits": 1024,
     *             "memoryMiB": 1024
     *           },
     *           "inputSchema": {
     *             "type": "object",
     *             "required": [
     *               "region",
     *               "criteria",
     *               "xDist",
     *               "yDist",
     *               "threshold"
     *             ],
     *             "properties": {
     *               "region": {
     *                 "type": "string"
     *               },
     *               "criteria": {
     *                 "type": "object"
     *               },
     *               "xDist": {
     *                 "type": "number"
     *               },
     *               "yDist": {
     *                 "type": "number"
     *               },
     *               "threshold": {
     *                 "type": "number"
     *               },
     *               "polygonId": {
     *                 "type": "string",
     *                 "format": "uuid"
     *               }
     *             }
     *           }
     *         },
     *         {
     *           "type": "TEST",
     *           "title": "Try a deployment out",
     *           "version": 1,
     *           "isInternal": false,
     *           "isCacheable": true,
     *           "leaseSeconds": 20,
     *           "timeoutSeconds": 900,
     *           "maxAttempts": 3,
     *           "compute": {
     *             "cpuUnits": 256,
     *             "memoryMiB": 512
     *           },
     *           "inputSchema": {
     *             "type": "object",
     *             "required": [
     *               "id"
     *             ],
     *             "properties": {
     *               "id": {
     *                 "type": "integer"
     *               }
     *             }
     *           }
     *         }
     *       ]
     *     }
     */
    JobTypePage: {
      items: components['schemas']['JobTypeDescription'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description PENDING → IN_PROGRESS → SUCCEEDED, FAILED or TIMED_OUT. PENDING or IN_PROGRESS → CANCELLED. The last four are final.
     * @example IN_PROGRESS
     * @enum {string}
     */
    JobStatus: 'PENDING' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'CANCELLED'
    /**
     * @description NORMAL unless told otherwise. HIGH is for admins.
     * @example NORMAL
     * @enum {string}
     */
    JobPriority: 'LOW' | 'NORMAL' | 'HIGH'
    /**
     * @description What the job type's input schema describes (`GET /api/job-types`).
     * @example {
     *       "id": 42,
     *       "sleepSeconds": 2
     *     }
     */
    JobPayload: {
      [key: string]: unknown
    }
    /**
     * @example {
     *       "verdict": "REJECTED",
     *       "reason": "The file has 3 bands. A layer has one."
     *     }
     */
    RasterInspectionResult: {
      /** @enum {string} */
      verdict: 'READY' | 'REJECTED'
      /** @description Why the raster was rejected. */
      reason?: string
      raster?: components['schemas']['Raster']
    }
    /**
     * @example {
     *       "min": -10,
     *       "max": -4,
     *       "passRate": 0.31
     *     }
     */
    CriterionSummary: {
      min?: number
      max?: number
      /** @description Of the valid cells, the fraction within the range. */
      passRate: number
    }
    /**
     * @example {
     *       "cells": 18363400,
     *       "validCells": 7411063,
     *       "suitableCells": 1210044,
     *       "areaSquareMeters": 185276575,
     *       "suitableAreaSquareMeters": 30251100,
     *       "criteria": {
     *         "depth": {
     *           "min": -10,
     *           "max": -4,
     *           "passRate": 0.1633
     *         }
     *       }
     *     }
     */
    RegionalAssessmentResult: {
      /** @description All cells of the grid. */
      cells: number
      /** @description Cells for which every criterion has data. */
      validCells: number
      suitableCells: number
      /** @description The area of the valid cells. */
      areaSquareMeters: number
      suitableAreaSquareMeters: number
      criteria: {
        [key: string]: components['schemas']['CriterionSummary']
      }
    }
    /**
     * @example {
     *       "cells": 18363400,
     *       "validCells": 142310,
     *       "suitableCells": 43018,
     *       "areaSquareMeters": 3557750,
     *       "suitableAreaSquareMeters": 1075450,
     *       "criteria": {
     *         "depth": {
     *           "min": -10,
     *           "max": -4,
     *           "passRate": 0.31
     *         },
     *         "slope": {
     *           "max": 30,
     *           "passRate": 0.98
     *         }
     *       },
     *       "sites": 163,
     *       "sitesTruncated": false,
     *       "bestScore": 1,
     *       "xDist": 100,
     *       "yDist": 50,
     *       "threshold": 0.9
     *     }
     */
    SuitabilityAssessmentResult: {
      /** @description All cells of the grid. */
      cells: number
      /** @description Cells within the polygon for which every criterion has data. */
      validCells: number
      suitableCells: number
      /** @description The area of the valid cells. */
      areaSquareMeters: number
      suitableAreaSquareMeters: number
      criteria: {
        [key: string]: components['schemas']['CriterionSummary']
      }
      /** @description Candidate rectangles in `sites.geojson`. */
      sites: number
      /** @description True where there were more than we keep. */
      sitesTruncated: boolean
      bestScore?: number
      /** @description The width that was used, in metres. */
      xDist: number
      /** @description The height that was used, in metres. */
      yDist: number
      threshold: number
    }
    /**
     * @example {
     *       "id": 42
     *     }
     */
    TestResult: {
      id: number
    }
    /**
     * @description What the job came to. Its schema goes by the job type.
     * @example {
     *       "id": 42
     *     }
     */
    JobResult:
      | components['schemas']['RasterInspectionResult']
      | components['schemas']['RegionalAssessmentResult']
      | components['schemas']['SuitabilityAssessmentResult']
      | components['schemas']['TestResult']
    /**
     * @description Why the last attempt did not succeed.
     * @example {
     *       "message": "The raster \"depth\" ends in the middle of a tile.",
     *       "retryable": false
     *     }
     */
    JobError: {
      message: string
      /** @description True where another attempt may succeed. False unless told otherwise. */
      retryable?: boolean
    }
    /**
     * @description A job as it is now. Its payloads go by its type.
     * @example {
     *       "id": "019a8f00-0003-7000-8000-000000000003",
     *       "type": "SUITABILITY_ASSESSMENT",
     *       "priority": "NORMAL",
     *       "inputPayload": {
     *         "region": "lizard-island",
     *         "criteria": {
     *           "depth": {
     *             "min": -10,
     *             "max": -4
     *           },
     *           "slope": {
     *             "max": 30
     *           }
     *         },
     *         "xDist": 100,
     *         "yDist": 50,
     *         "threshold": 0.9,
     *         "polygonId": "019a8f00-0002-7000-8000-000000000002"
     *       },
     *       "maxAttempts": 3,
     *       "createdAt": "2026-03-02T21:40:00.000Z",
     *       "status": "SUCCEEDED",
     *       "resultPayload": {
     *         "cells": 18363400,
     *         "validCells": 142310,
     *         "suitableCells": 43018,
     *         "areaSquareMeters": 3557750,
     *         "suitableAreaSquareMeters": 1075450,
     *         "criteria": {
     *           "depth": {
     *             "min": -10,
     *             "max": -4,
     *             "passRate": 0.31
     *           },
     *           "slope": {
     *             "max": 30,
     *             "passRate": 0.98
     *           }
     *         },
     *         "sites": 163,
     *         "sitesTruncated": false,
     *         "bestScore": 1,
     *         "xDist": 100,
     *         "yDist": 50,
     *         "threshold": 0.9
     *       },
     *       "progress": 1,
     *       "attempts": 1,
     *       "lastEventId": 7,
     *       "updatedAt": "2026-03-02T21:40:09.310Z",
     *       "startedAt": "2026-03-02T21:40:00.007Z",
     *       "finishedAt": "2026-03-02T21:40:09.310Z"
     *     }
     */
    Job: {
      id: components['schemas']['Id']
      type: components['schemas']['JobType']
      status: components['schemas']['JobStatus']
      priority: components['schemas']['JobPriority']
      inputPayload: components['schemas']['JobPayload']
      resultPayload?: components['schemas']['JobResult']
      error?: components['schemas']['JobError']
      /** @description What the current attempt has done, as a fraction. */
      progress?: number
      /** @description Attempts that were started and not given back. */
      attempts: number
      maxAttempts: number
      /** @description The newest event's id. Grows with every change. */
      lastEventId: number
      /** Format: date-time */
      createdAt: string
      /** Format: date-time */
      updatedAt: string
      /**
       * Format: date-time
       * @description While PENDING: when it may be claimed (again).
       */
      availableAt?: string
      /**
       * Format: date-time
       * @description When the current or last attempt began.
       */
      startedAt?: string
      /** Format: date-time */
      finishedAt?: string
    }
    /** @description A page of jobs, newest first. */
    JobPage: {
      items: components['schemas']['Job'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description Looks into a raster that was uploaded as a layer. The service starts it when a layer is completed.
     * @example {
     *       "type": "RASTER_INSPECTION",
     *       "inputPayload": {
     *         "region": "lizard-island",
     *         "layer": "depth",
     *         "version": 1
     *       }
     *     }
     */
    RasterInspectionJob: {
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'RASTER_INSPECTION'
      priority?: components['schemas']['JobPriority']
      inputPayload: {
        region: components['schemas']['RegionName']
        layer: components['schemas']['LayerName']
        version: number
      }
    }
    /**
     * @example {
     *       "min": -10,
     *       "max": -4
     *     }
     */
    Range: {
      min?: number
      max?: number
    }
    /**
     * @description For each layer the range that suits, both ends included. `slope` (degrees), where the region has no such layer, is derived from `depth` or
     *     `elevation` by Horn's method.
     * @example {
     *       "depth": {
     *         "min": -10,
     *         "max": -4
     *       },
     *       "slope": {
     *         "max": 30
     *       }
     *     }
     */
    Criteria: {
      [key: string]: components['schemas']['Range']
    }
    /**
     * @description Marks the cells of a region that meet all criteria. Files: `suitable.tif` (a tiled, deflate-compressed GeoTIFF: 1 suitable, 0 not, 255 no data),
     *     `preview.png` and `summary.json`.
     * @example {
     *       "type": "REGIONAL_ASSESSMENT",
     *       "inputPayload": {
     *         "region": "lizard-island",
     *         "criteria": {
     *           "depth": {
     *             "min": -10,
     *             "max": -4
     *           }
     *         }
     *       }
     *     }
     */
    RegionalAssessmentJob: {
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'REGIONAL_ASSESSMENT'
      priority?: components['schemas']['JobPriority']
      inputPayload: {
        region: components['schemas']['RegionName']
        criteria: components['schemas']['Criteria']
      }
    }
    /**
     * @description Finds the places where a site of a given size would suit best, each of them wholly within the polygon, where one is given. Files: `sites.geojson` (candidate rectangles that do not overlap, ranked by score),
     *     `sites.png` and `summary.json`.
     * @example {
     *       "type": "SUITABILITY_ASSESSMENT",
     *       "inputPayload": {
     *         "region": "lizard-island",
     *         "criteria": {
     *           "depth": {
     *             "min": -10,
     *             "max": -4
     *           },
     *           "slope": {
     *             "max": 30
     *           }
     *         },
     *         "xDist": 100,
     *         "yDist": 50,
     *         "threshold": 0.9,
     *         "polygonId": "019a8f00-0002-7000-8000-000000000002"
     *       }
     *     }
     */
    SuitabilityAssessmentJob: {
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'SUITABILITY_ASSESSMENT'
      priority?: components['schemas']['JobPriority']
      inputPayload: {
        region: components['schemas']['RegionName']
        criteria: components['schemas']['Criteria']
        /** @description A site's width in metres, rounded to whole cells. */
        xDist: number
        /** @description A site's height in metres, rounded to whole cells. */
        yDist: number
        /** @description The fraction of a site's cells that must be suitable. */
        threshold: number
        polygonId?: components['schemas']['Id']
        polygon?: components['schemas']['Area']
      }
    }
    /**
     * @description Sleeps and answers what it was given. For trying a deployment out.
     * @example {
     *       "type": "TEST",
     *       "inputPayload": {
     *         "id": 42,
     *         "sleepSeconds": 2
     *       }
     *     }
     */
    TestJob: {
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      type: 'TEST'
      priority?: components['schemas']['JobPriority']
      inputPayload: {
        /** @description Comes back in the result. */
        id: number
        /** @description How long the worker sleeps, in seconds. 0 unless told otherwise. */
        sleepSeconds?: number
        /** @description Makes the job fail, for good. */
        fail?: boolean
      }
    }
    /**
     * @description A job to start. `type` says which `inputPayload` belongs to it.
     * @example {
     *       "type": "TEST",
     *       "inputPayload": {
     *         "id": 42,
     *         "sleepSeconds": 2
     *       }
     *     }
     */
    JobCreate:
      | components['schemas']['RasterInspectionJob']
      | components['schemas']['RegionalAssessmentJob']
      | components['schemas']['SuitabilityAssessmentJob']
      | components['schemas']['TestJob']
    /**
     * @description The job that answers the wish, new or shared, and the request that stands for the wish.
     * @example {
     *       "jobId": "019a8f00-0003-7000-8000-000000000003",
     *       "cached": false,
     *       "jobRequestId": "019a8f00-0004-7000-8000-000000000004"
     *     }
     */
    JobCreated: {
      jobId: components['schemas']['Id']
      /** @description True where an equal job was there already and is shared. */
      cached: boolean
      jobRequestId: components['schemas']['Id']
    }
    /**
     * @description Somebody's wish for a job. Equal wishes share one job.
     * @example {
     *       "id": "019a8f00-0004-7000-8000-000000000004",
     *       "jobId": "019a8f00-0003-7000-8000-000000000003",
     *       "type": "SUITABILITY_ASSESSMENT",
     *       "status": "SUCCEEDED",
     *       "cached": false,
     *       "createdAt": "2026-03-02T21:40:00.000Z"
     *     }
     */
    JobRequest: {
      id: components['schemas']['Id']
      jobId: components['schemas']['Id']
      type: components['schemas']['JobType']
      status: components['schemas']['JobStatus']
      cached: boolean
      /** Format: date-time */
      createdAt: string
      /**
       * Format: date-time
       * @description When its owner cancelled.
       */
      withdrawnAt?: string
    }
    /** @description A page of job requests, newest first. */
    JobRequestPage: {
      items: components['schemas']['JobRequest'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description How much a line of a log matters.
     * @example INFO
     * @enum {string}
     */
    LogLevel: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR'
    /**
     * @description A line of a job's log.
     * @example {
     *       "id": 4,
     *       "at": "2026-03-02T21:40:03.100Z",
     *       "level": "INFO",
     *       "message": "slope is derived from the layer depth"
     *     }
     */
    JobLogEntry: {
      /** @description The event's id within its job. */
      id: number
      /** Format: date-time */
      at: string
      level: components['schemas']['LogLevel']
      message: string
    }
    /**
     * @description A page of log entries, oldest first.
     * @example {
     *       "items": [
     *         {
     *           "id": 3,
     *           "at": "2026-03-02T21:40:00.250Z",
     *           "level": "INFO",
     *           "message": "Fetching layer depth"
     *         },
     *         {
     *           "id": 4,
     *           "at": "2026-03-02T21:40:03.100Z",
     *           "level": "INFO",
     *           "message": "slope is derived from the layer depth"
     *         }
     *       ]
     *     }
     */
    JobLogPage: {
      items: components['schemas']['JobLogEntry'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description Links to a job's files, by name. They answer GET without credentials until they expire.
     * @example {
     *       "job": {
     *         "id": "019a8f00-0003-7000-8000-000000000003",
     *         "type": "SUITABILITY_ASSESSMENT",
     *         "status": "SUCCEEDED"
     *       },
     *       "files": {
     *         "sites.geojson": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.geojson?signature=Qd7w",
     *         "sites.png": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.png?signature=Tt0k",
     *         "summary.json": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/summary.json?signature=Lm3s"
     *       }
     *     }
     */
    JobDownload: {
      job: {
        id: components['schemas']['Id']
        type: components['schemas']['JobType']
        status: components['schemas']['JobStatus']
      }
      /** @description A link for each file, by its name. Links answer GET without credentials until they expire. */
      files: {
        [key: string]: string
      }
    }
    /**
     * @description What a worker needs to know of a job.
     * @example {
     *       "id": "019a8f00-0003-7000-8000-000000000003",
     *       "type": "SUITABILITY_ASSESSMENT",
     *       "inputPayload": {
     *         "region": "lizard-island",
     *         "criteria": {
     *           "depth": {
     *             "min": -10,
     *             "max": -4
     *           },
     *           "slope": {
     *             "max": 30
     *           }
     *         },
     *         "xDist": 100,
     *         "yDist": 50,
     *         "threshold": 0.9,
     *         "polygon": {
     *           "type": "Polygon",
     *           "coordinates": [
     *             [
     *               [
     *                 145.442,
     *                 -14.668
     *               ],
     *               [
     *                 145.461,
     *                 -14.668
     *               ],
     *               [
     *                 145.461,
     *                 -14.651
     *               ],
     *               [
     *                 145.442,
     *                 -14.651
     *               ],
     *               [
     *                 145.442,
     *                 -14.668
     *               ]
     *             ]
     *           ]
     *         }
     *       },
     *       "priority": "NORMAL",
     *       "attempts": 0,
     *       "maxAttempts": 3,
     *       "createdAt": "2026-03-02T21:40:00.000Z"
     *     }
     */
    ClaimableJob: {
      id: components['schemas']['Id']
      type: components['schemas']['JobType']
      inputPayload: components['schemas']['JobPayload']
      priority: components['schemas']['JobPriority']
      attempts: number
      maxAttempts: number
      /** Format: date-time */
      createdAt: string
    }
    /**
     * @example {
     *       "jobs": [
     *         {
     *           "id": "019a8f00-0003-7000-8000-000000000003",
     *           "type": "SUITABILITY_ASSESSMENT",
     *           "inputPayload": {
     *             "region": "lizard-island",
     *             "criteria": {
     *               "depth": {
     *                 "min": -10,
     *                 "max": -4
     *               },
     *               "slope": {
     *                 "max": 30
     *               }
     *             },
     *             "xDist": 100,
     *             "yDist": 50,
     *             "threshold": 0.9,
     *             "polygon": {
     *               "type": "Polygon",
     *               "coordinates": [
     *                 [
     *                   [
     *                     145.442,
     *                     -14.668
     *                   ],
     *                   [
     *                     145.461,
     *                     -14.668
     *                   ],
     *                   [
     *                     145.461,
     *                     -14.651
     *                   ],
     *                   [
     *                     145.442,
     *                     -14.651
     *                   ],
     *                   [
     *                     145.442,
     *                     -14.668
     *                   ]
     *                 ]
     *               ]
     *             }
     *           },
     *           "priority": "NORMAL",
     *           "attempts": 0,
     *           "maxAttempts": 3,
     *           "createdAt": "2026-03-02T21:40:00.000Z"
     *         }
     *       ]
     *     }
     */
    JobPoll: {
      jobs: components['schemas']['ClaimableJob'][]
    }
    /** @example arn:aws:ecs:ap-southeast-2:123456789012:task/fieldstation/1f2e3d4c */
    EcsArn: string
    /**
     * @description Whatever tells this worker from others. For people.
     * @example hpc-node-17
     */
    WorkerName: string
    /**
     * @description Which job to take, and who takes it.
     * @example {
     *       "jobId": "019a8f00-0003-7000-8000-000000000003",
     *       "workerName": "hpc-node-17"
     *     }
     */
    AssignRequest: {
      jobId: components['schemas']['Id']
      ecsTaskArn?: components['schemas']['EcsArn']
      ecsClusterArn?: components['schemas']['EcsArn']
      workerName?: components['schemas']['WorkerName']
    }
    /**
     * @description One attempt at a job by one worker: its lease, its deadline, and the token that opens it.
     * @example {
     *       "id": "019a8f00-0005-7000-8000-000000000005",
     *       "jobId": "019a8f00-0003-7000-8000-000000000003",
     *       "attempt": 1,
     *       "token": "fsa_kT3xQ0aVt8mZrW5bYc1LhN7uEo2DsGi9PfXj4Rq6vBI",
     *       "createdAt": "2026-03-02T21:40:00.007Z",
     *       "expiresAt": "2026-03-02T21:41:00.007Z",
     *       "deadlineAt": "2026-03-02T22:40:00.007Z",
     *       "workerName": "hpc-node-17"
     *     }
     */
    Assignment: {
      id: components['schemas']['Id']
      jobId: components['schemas']['Id']
      attempt: number
      /** @description Opens this assignment's operations and nothing else. Shown this once. */
      token: string
      /** Format: date-time */
      createdAt: string
      /**
       * Format: date-time
       * @description The lease. A heartbeat extends it.
       */
      expiresAt: string
      /**
       * Format: date-time
       * @description No heartbeat extends the lease beyond this.
       */
      deadlineAt: string
      ecsTaskArn?: components['schemas']['EcsArn']
      ecsClusterArn?: components['schemas']['EcsArn']
      workerName?: components['schemas']['WorkerName']
    }
    /**
     * @description The assignment that took the job.
     * @example {
     *       "assignment": {
     *         "id": "019a8f00-0005-7000-8000-000000000005",
     *         "jobId": "019a8f00-0003-7000-8000-000000000003",
     *         "attempt": 1,
     *         "token": "fsa_kT3xQ0aVt8mZrW5bYc1LhN7uEo2DsGi9PfXj4Rq6vBI",
     *         "createdAt": "2026-03-02T21:40:00.007Z",
     *         "expiresAt": "2026-03-02T21:41:00.007Z",
     *         "deadlineAt": "2026-03-02T22:40:00.007Z",
     *         "workerName": "hpc-node-17"
     *       }
     *     }
     */
    Assigned: {
      assignment: components['schemas']['Assignment']
    }
    /**
     * @description Which jobs to take, how many, and how long to wait for a first one.
     * @example {
     *       "jobTypes": [
     *         "SUITABILITY_ASSESSMENT",
     *         "TEST"
     *       ],
     *       "limit": 1,
     *       "waitSeconds": 20,
     *       "workerName": "hpc-node-17"
     *     }
     */
    ClaimRequest: {
      jobTypes: components['schemas']['JobType'][]
      /** @description At most so many jobs. 1 unless told otherwise. */
      limit?: number
      /** @description How long to wait for a first job. 0 unless told otherwise. */
      waitSeconds?: number
      ecsTaskArn?: components['schemas']['EcsArn']
      ecsClusterArn?: components['schemas']['EcsArn']
      workerName?: components['schemas']['WorkerName']
    }
    /**
     * @description A job that was taken, and the assignment that took it.
     * @example {
     *       "job": {
     *         "id": "019a8f00-0003-7000-8000-000000000003",
     *         "type": "SUITABILITY_ASSESSMENT",
     *         "inputPayload": {
     *           "region": "lizard-island",
     *           "criteria": {
     *             "depth": {
     *               "min": -10,
     *               "max": -4
     *             },
     *             "slope": {
     *               "max": 30
     *             }
     *           },
     *           "xDist": 100,
     *           "yDist": 50,
     *           "threshold": 0.9,
     *           "polygon": {
     *             "type": "Polygon",
     *             "coordinates": [
     *               [
     *                 [
     *                   145.442,
     *                   -14.668
     *                 ],
     *                 [
     *                   145.461,
     *                   -14.668
     *                 ],
     *                 [
     *                   145.461,
     *                   -14.651
     *                 ],
     *                 [
     *                   145.442,
     *                   -14.651
     *                 ],
     *                 [
     *                   145.442,
     *                   -14.668
     *                 ]
     *               ]
     *             ]
     *           }
     *         },
     *         "priority": "NORMAL",
     *         "attempts": 1,
     *         "maxAttempts": 3,
     *         "createdAt": "2026-03-02T21:40:00.000Z"
     *       },
     *       "assignment": {
     *         "id": "019a8f00-0005-7000-8000-000000000005",
     *         "jobId": "019a8f00-0003-7000-8000-000000000003",
     *         "attempt": 1,
     *         "token": "fsa_kT3xQ0aVt8mZrW5bYc1LhN7uEo2DsGi9PfXj4Rq6vBI",
     *         "createdAt": "2026-03-02T21:40:00.007Z",
     *         "expiresAt": "2026-03-02T21:41:00.007Z",
     *         "deadlineAt": "2026-03-02T22:40:00.007Z",
     *         "workerName": "hpc-node-17"
     *       }
     *     }
     */
    Claim: {
      job: components['schemas']['ClaimableJob']
      assignment: components['schemas']['Assignment']
    }
    /** @description The jobs that were taken. None is no error. */
    Claims: {
      claims: components['schemas']['Claim'][]
    }
    /**
     * @description What is done so far, as a fraction.
     * @example {
     *       "progress": 0.4
     *     }
     */
    HeartbeatRequest: {
      /** @description What is done, as a fraction. */
      progress?: number
    }
    /**
     * @description The lease as it is now, by the service's clock.
     * @example {
     *       "expiresAt": "2026-03-02T21:41:04.000Z",
     *       "deadlineAt": "2026-03-02T22:40:00.007Z"
     *     }
     */
    Heartbeat: {
      /**
       * Format: date-time
       * @description The lease, extended.
       */
      expiresAt: string
      /** Format: date-time */
      deadlineAt: string
    }
    /**
     * @description Lines for a job's log.
     * @example {
     *       "entries": [
     *         {
     *           "level": "INFO",
     *           "message": "slope is derived from the layer depth"
     *         }
     *       ]
     *     }
     */
    LogEntries: {
      entries: {
        level?: components['schemas']['LogLevel']
        message: string
      }[]
    }
    /**
     * @description A signed link to a file that the job reads.
     * @example {
     *       "name": "layers/depth.tif",
     *       "url": "http://127.0.0.1:3000/objects/regions/lizard-island/depth/1.tif?signature=Qd7w",
     *       "sizeBytes": 16571700,
     *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
     *       "contentType": "image/tiff",
     *       "expiresAt": "2026-03-02T22:40:00.000Z"
     *     }
     */
    JobInputFile: {
      name: components['schemas']['FileName']
      /**
       * Format: uri
       * @description Answers GET without credentials until `expiresAt`.
       */
      url: string
      sizeBytes: number
      sha256: components['schemas']['Sha256']
      contentType: string
      /** Format: date-time */
      expiresAt: string
    }
    /**
     * @example {
     *       "items": [
     *         {
     *           "name": "layers/depth.tif",
     *           "url": "http://127.0.0.1:3000/objects/regions/lizard-island/depth/1.tif?signature=Qd7w",
     *           "sizeBytes": 16571700,
     *           "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
     *           "contentType": "image/tiff",
     *           "expiresAt": "2026-03-02T22:40:00.000Z"
     *         }
     *       ]
     *     }
     */
    JobInputs: {
      items: components['schemas']['JobInputFile'][]
    }
    /**
     * @description A file to upload: its name, exact size, checksum and content type.
     * @example {
     *       "name": "sites.geojson",
     *       "sizeBytes": 20480,
     *       "sha256": "5e2b7c0d9a41f6838c1be07d42f95a6310cbd8e7f2946a05b3d81c7e6f90a42d",
     *       "contentType": "application/geo+json"
     *     }
     */
    FileDeclaration: {
      name: components['schemas']['FileName']
      /** @description The file's exact size. */
      sizeBytes: number
      sha256: components['schemas']['Sha256']
      contentType: components['schemas']['ContentType']
    }
    /**
     * @example {
     *       "files": [
     *         {
     *           "name": "sites.geojson",
     *           "sizeBytes": 20480,
     *           "sha256": "5e2b7c0d9a41f6838c1be07d42f95a6310cbd8e7f2946a05b3d81c7e6f90a42d",
     *           "contentType": "application/geo+json"
     *         }
     *       ]
     *     }
     */
    UploadsRequest: {
      files: components['schemas']['FileDeclaration'][]
    }
    /**
     * @example {
     *       "items": [
     *         {
     *           "name": "sites.geojson",
     *           "url": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.geojson?signature=Zx1c",
     *           "method": "PUT",
     *           "headers": {
     *             "content-type": "application/geo+json"
     *           },
     *           "expiresAt": "2026-03-02T22:40:08.000Z"
     *         }
     *       ]
     *     }
     */
    SignedUploads: {
      items: components['schemas']['SignedUpload'][]
    }
    /**
     * @description What an attempt came to: a result, or an error.
     * @example {
     *       "status": "SUCCEEDED",
     *       "resultPayload": {
     *         "cells": 18363400,
     *         "validCells": 142310,
     *         "suitableCells": 43018,
     *         "areaSquareMeters": 3557750,
     *         "suitableAreaSquareMeters": 1075450,
     *         "criteria": {
     *           "depth": {
     *             "min": -10,
     *             "max": -4,
     *             "passRate": 0.31
     *           },
     *           "slope": {
     *             "max": 30,
     *             "passRate": 0.98
     *           }
     *         },
     *         "sites": 163,
     *         "sitesTruncated": false,
     *         "bestScore": 1,
     *         "xDist": 100,
     *         "yDist": 50,
     *         "threshold": 0.9
     *       }
     *     }
     */
    ResultRequest: {
      /** @enum {string} */
      status: 'SUCCEEDED' | 'FAILED'
      /** @description What the job type's result schema describes. For SUCCEEDED. */
      resultPayload?: {
        [key: string]: unknown
      }
      /** @description Whatever the worker wants to keep with the result. */
      metadata?: {
        [key: string]: unknown
      }
      error?: components['schemas']['JobError']
    }
    /**
     * @description What the attempt came to, and whether there will be another.
     * @example {
     *       "assignmentId": "019a8f00-0005-7000-8000-000000000005",
     *       "jobId": "019a8f00-0003-7000-8000-000000000003",
     *       "status": "SUCCEEDED",
     *       "willRetry": false
     *     }
     */
    ResultAccepted: {
      assignmentId: components['schemas']['Id']
      jobId: components['schemas']['Id']
      /**
       * @description What this attempt came to.
       * @enum {string}
       */
      status: 'SUCCEEDED' | 'FAILED'
      /** @description True where the job goes back to PENDING for another attempt. */
      willRetry: boolean
    }
    /**
     * @description A mail, and who gets it.
     * @example {
     *       "recipients": [
     *         "ana@reef.example"
     *       ],
     *       "subject": "Survey of Lizard Island",
     *       "text": "The boats leave at six on Tuesday."
     *     }
     */
    EmailRequest: {
      recipients: components['schemas']['Email'][]
      /** @description One line. */
      subject: string
      /** @description The mail as plain text. Made from `html` where it is missing. */
      text?: string
      /** @description The mail as HTML. */
      html?: string
    }
    /**
     * @description The mails that were taken.
     * @example {
     *       "emailIds": [
     *         "019a8f00-000b-7000-8000-00000000000b"
     *       ]
     *     }
     */
    EmailAccepted: {
      /** @description One for each recipient, in their order. */
      emailIds: components['schemas']['Id'][]
    }
    /**
     * @description What was done. Actions are added, never renamed.
     * @example signed_in
     * @enum {string}
     */
    AuditAction:
      | 'registered'
      | 'signed_in'
      | 'sign_in_failed'
      | 'sign_in_blocked'
      | 'signed_out'
      | 'signed_out_everywhere'
      | 'session_ended'
      | 'refresh_token_reused'
      | 'recovery_requested'
      | 'password_reset'
      | 'password_changed'
      | 'password_refused'
      | 'user_created'
      | 'user_updated'
      | 'roles_changed'
      | 'user_deleted'
      | 'api_key_created'
      | 'api_key_revoked'
      | 'identity_linked'
      | 'email_requested'
    /**
     * @description Something that was done to an account.
     * @example {
     *       "id": "019a8f00-000c-7000-8000-00000000000c",
     *       "action": "roles_changed",
     *       "occurredAt": "2026-03-02T21:30:00.000Z",
     *       "actorKind": "session",
     *       "actorId": "019a8f00-0000-7000-8000-000000000000",
     *       "userId": "019a8f00-0001-7000-8000-000000000001",
     *       "address": "203.0.113.7",
     *       "requestId": "6a3b7c1e-5f0d-4c59-9a55-0e5f6f1a2b3c",
     *       "details": {
     *         "before": [
     *           "USER"
     *         ],
     *         "after": [
     *           "USER",
     *           "WORKER"
     *         ]
     *       }
     *     }
     */
    AuditEvent: {
      id: components['schemas']['Id']
      action: components['schemas']['AuditAction']
      /** Format: date-time */
      occurredAt: string
      /**
       * @description Nobody in particular, a person who is signed in, an API key, an operator at the command line, or the service itself.
       * @enum {string}
       */
      actorKind: 'anonymous' | 'session' | 'apiKey' | 'operator' | 'system'
      /**
       * Format: uuid
       * @description The person who did it.
       */
      actorId?: string
      /**
       * Format: uuid
       * @description The person to whom it was done.
       */
      userId?: string
      /** @description The network address that the request came from. */
      address?: string
      /** @description The request's `X-Request-Id`. */
      requestId?: string
      /** @description What else there is to know, such as the roles before and after. Never a secret. */
      details?: {
        [key: string]: unknown
      }
    }
    /** @description A page of events, newest first. */
    AuditEventPage: {
      items: components['schemas']['AuditEvent'][]
      nextCursor?: components['schemas']['Cursor']
    }
    /**
     * @description That the process lives.
     * @example {
     *       "status": "ok"
     *     }
     */
    Health: {
      /** @enum {string} */
      status: 'ok'
    }
    /**
     * @description What was asked of database and store, and what they said.
     * @example {
     *       "status": "ok",
     *       "checks": {
     *         "database": "ok",
     *         "store": "ok"
     *       }
     *     }
     */
    Readiness: {
      /** @enum {string} */
      status: 'ok' | 'unavailable'
      /** @description What was asked, and what it said. */
      checks: {
        /** @enum {string} */
        database: 'ok' | 'unavailable'
        /** @enum {string} */
        store: 'ok' | 'unavailable'
      }
    }
    /**
     * @example {
     *       "id": 2,
     *       "kind": "status",
     *       "at": "2026-03-02T21:40:00.007Z",
     *       "status": "IN_PROGRESS"
     *     }
     */
    JobStatusEvent: {
      id: number
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      kind: 'status'
      /** Format: date-time */
      at: string
      status: components['schemas']['JobStatus']
      /** @description Why, where it is not plain: a retry, a lease that expired, a worker that gave the job back. */
      reason?: string
    }
    /**
     * @example {
     *       "id": 5,
     *       "kind": "progress",
     *       "at": "2026-03-02T21:40:04.000Z",
     *       "progress": 0.4
     *     }
     */
    JobProgressEvent: {
      id: number
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      kind: 'progress'
      /** Format: date-time */
      at: string
      progress: number
    }
    /**
     * @example {
     *       "id": 4,
     *       "kind": "log",
     *       "at": "2026-03-02T21:40:03.100Z",
     *       "level": "INFO",
     *       "message": "slope is derived from the layer depth"
     *     }
     */
    JobLogEvent: {
      id: number
      /**
       * @description discriminator enum property added by openapi-typescript
       * @enum {string}
       */
      kind: 'log'
      /** Format: date-time */
      at: string
      level: components['schemas']['LogLevel']
      message: string
    }
  }
  responses: {
    /** @description The email is taken, or the request does not fit the contract. */
    RegistrationRefused: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The service takes no registrations. */
    RegistrationClosed: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/registration-closed",
         *       "title": "Registration is closed",
         *       "status": 403,
         *       "detail": "Ask an administrator for an account.",
         *       "code": "registration_closed",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Too many attempts. Try again after `Retry-After`. */
    TooManyAttempts: {
      headers: {
        'Retry-After': components['headers']['RetryAfter']
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/too-many-attempts",
         *       "title": "Too many attempts",
         *       "status": 429,
         *       "detail": "There were too many attempts. Try again in 900 s.",
         *       "code": "too_many_attempts",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Something that this needs does not answer. Nothing was lost. Try again after `Retry-After`. */
    ServiceUnavailable: {
      headers: {
        'Retry-After': components['headers']['RetryAfter']
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/service-unavailable",
         *       "title": "Service unavailable",
         *       "status": 503,
         *       "detail": "The database does not answer.",
         *       "code": "service_unavailable",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Another fault of the request, see `code`. */
    ClientError: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/payload-too-large",
         *       "title": "Payload too large",
         *       "status": 413,
         *       "detail": "The body may have at most 1048576 bytes.",
         *       "code": "payload_too_large",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description A fault of ours. The logs know it by `requestId`. */
    ServerError: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/internal",
         *       "title": "Internal error",
         *       "status": 500,
         *       "detail": "Something went wrong on our side.",
         *       "code": "internal",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The request does not fit the contract. `errors` points at each fault. */
    InvalidRequest: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/invalid-request",
         *       "title": "Invalid request",
         *       "status": 400,
         *       "detail": "Unknown: \"page\" at /query/page",
         *       "code": "invalid_request",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c",
         *       "errors": [
         *         {
         *           "pointer": "/query/page",
         *           "detail": "Unknown: \"page\""
         *         }
         *       ]
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Email or password are wrong. */
    InvalidCredentials: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/invalid-credentials",
         *       "title": "Invalid credentials",
         *       "status": 401,
         *       "detail": "Invalid credentials",
         *       "code": "invalid_credentials",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The refresh token is unknown, used up or expired. */
    InvalidRefreshToken: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/invalid-refresh-token",
         *       "title": "Invalid refresh token",
         *       "status": 401,
         *       "detail": "Invalid refresh token",
         *       "code": "invalid_refresh_token",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Credentials are missing, wrong or expired. */
    Unauthenticated: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/unauthenticated",
         *       "title": "Not signed in",
         *       "status": 401,
         *       "detail": "Send a token or an API key.",
         *       "code": "unauthenticated",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The caller is known but may not do this. */
    Forbidden: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The token opens nothing, or the request does not fit the contract. */
    ResetRefused: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Nobody would be an admin any more. */
    LastAdmin: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/last-admin",
         *       "title": "Last admin",
         *       "status": 409,
         *       "detail": "This is the last admin. Make somebody else one first.",
         *       "code": "last_admin",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The caller has no such API key. */
    ApiKeyNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/api-key-not-found",
         *       "title": "API key not found",
         *       "status": 404,
         *       "detail": "There is no API key 019a8f00-0006-7000-8000-000000000006 to revoke.",
         *       "code": "api_key_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The present password is another, or the credentials are no person's. */
    PasswordChangeRefused: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The caller has no such session. */
    SessionNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/session-not-found",
         *       "title": "Session not found",
         *       "status": 404,
         *       "detail": "You have no session 019a8f00-000a-7000-8000-00000000000a.",
         *       "code": "session_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such person. */
    UserNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/user-not-found",
         *       "title": "Person not found",
         *       "status": 404,
         *       "detail": "There is no person ben@reef.example.",
         *       "code": "user_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such person, or they have no such API key. */
    UserApiKeyNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description You have this very version. */
    NotModified: {
      headers: {
        ETag: components['headers']['ETag']
        [name: string]: unknown
      }
      content?: never
    }
    /** @description There is no such polygon, or not for this caller. */
    PolygonNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/polygon-not-found",
         *       "title": "Polygon not found",
         *       "status": 404,
         *       "detail": "There is no polygon 019a8f00-0002-7000-8000-000000000002 that you may see.",
         *       "code": "polygon_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The resource has changed since it was read. */
    PreconditionFailed: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/precondition-failed",
         *       "title": "Resource has changed",
         *       "status": 412,
         *       "detail": "The polygon is at version \"3\" now.",
         *       "code": "precondition_failed",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such note, or not for this caller. */
    NoteNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/note-not-found",
         *       "title": "Note not found",
         *       "status": 404,
         *       "detail": "There is no note 019a8f00-0010-7000-8000-000000000010 that you may see.",
         *       "code": "note_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The file is larger than this service takes. */
    ImageTooLarge: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/payload-too-large",
         *       "title": "Payload too large",
         *       "status": 413,
         *       "detail": "An image may have at most 268435456 bytes.",
         *       "code": "payload_too_large",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The bytes are no image of a kind that is kept, or the request is no form. */
    NoImage: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/unsupported-media-type",
         *       "title": "Unsupported media type",
         *       "status": 415,
         *       "detail": "The file is not an image: PNG, JPEG, WebP, GIF and TIFF are kept.",
         *       "code": "unsupported_media_type",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The file is an image, but damaged, something else besides, or far larger unpacked than it looks; or it should belong to what is not there. */
    ImageRefused: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The image should belong to what is not there, or not for this caller. */
    AttachmentUnknown: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such image, or not for this caller. */
    ImageNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/image-not-found",
         *       "title": "Image not found",
         *       "status": 404,
         *       "detail": "There is no image 019a8f00-0011-7000-8000-000000000011 that you may see.",
         *       "code": "image_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The range begins after the end. */
    RangeNotSatisfiable: {
      headers: {
        /**
         * @description How long the image is.
         * @example bytes *\/48213
         */
        'Content-Range': string
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/range-not-satisfiable",
         *       "title": "Range not satisfiable",
         *       "status": 416,
         *       "detail": "The image has 48213 bytes.",
         *       "code": "range_not_satisfiable",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The file has not arrived. */
    ImageUploadIncomplete: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/upload-incomplete",
         *       "title": "Upload incomplete",
         *       "status": 409,
         *       "detail": "The file of image 019a8f00-0011-7000-8000-000000000011 has not arrived.",
         *       "code": "upload_incomplete",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such region. */
    RegionNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/region-not-found",
         *       "title": "Region not found",
         *       "status": 404,
         *       "detail": "There is no region named lizard-island.",
         *       "code": "region_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such layer, or no such version of it. */
    LayerNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/layer-not-found",
         *       "title": "Layer not found",
         *       "status": 404,
         *       "detail": "The region lizard-island has no such version of a layer named depth.",
         *       "code": "layer_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The file has not arrived. */
    UploadIncomplete: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/upload-incomplete",
         *       "title": "Upload incomplete",
         *       "status": 409,
         *       "detail": "The file of version 1 has not arrived.",
         *       "code": "upload_incomplete",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such job type. */
    JobTypeNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/job-type-not-found",
         *       "title": "Job type not found",
         *       "status": 404,
         *       "detail": "There is no job type \"TIDES\".",
         *       "code": "job_type_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The caller is known but may not start this job. */
    JobForbidden: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The first request with this `Idempotency-Key` is still under way. */
    IdempotencyInProgress: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/idempotency-in-progress",
         *       "title": "Request under way",
         *       "status": 409,
         *       "detail": "The first request with this key is still under way.",
         *       "code": "idempotency_in_progress",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The request is well formed but cannot be carried out as it stands. */
    Unprocessable: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Too much at once. Try again after `Retry-After`. */
    TooManyRequests: {
      headers: {
        'Retry-After': components['headers']['RetryAfter']
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/too-many-active-jobs",
         *       "title": "Too many active jobs",
         *       "status": 429,
         *       "detail": "You have 1000 unfinished jobs. Wait for some to finish.",
         *       "code": "too_many_active_jobs",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such job, or not for this caller. */
    JobNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/job-not-found",
         *       "title": "Job not found",
         *       "status": 404,
         *       "detail": "There is no job 019a8f00-0003-7000-8000-000000000003 that you may see.",
         *       "code": "job_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The job is final. */
    JobFinished: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/job-finished",
         *       "title": "Job finished",
         *       "status": 409,
         *       "detail": "The job is SUCCEEDED. What is final cannot change.",
         *       "code": "job_finished",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The job has no result, or not yet. */
    JobNotSucceeded: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/job-not-succeeded",
         *       "title": "Job has no result",
         *       "status": 409,
         *       "detail": "The job is IN_PROGRESS and has no result.",
         *       "code": "job_not_succeeded",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The job is not free to be taken. */
    JobNotAvailable: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/job-not-available",
         *       "title": "Job not available",
         *       "status": 409,
         *       "detail": "The job is IN_PROGRESS and cannot be taken.",
         *       "code": "job_not_available",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description There is no such assignment, or not for this caller. */
    AssignmentNotFound: {
      headers: {
        [name: string]: unknown
      }
      content: {
        /**
         * @example {
         *       "type": "https://fieldstation.example/problems/assignment-not-found",
         *       "title": "Assignment not found",
         *       "status": 404,
         *       "detail": "There is no assignment 019a8f00-0005-7000-8000-000000000005 that you hold.",
         *       "code": "assignment_not_found",
         *       "requestId": "5f2c8e0a-3f0b-4c57-9f6e-0d8f6a1f2b3c"
         *     }
         */
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The assignment is over: its lease expired, or its job was cancelled (`job_cancelled`). Stop working on it. */
    AssignmentLost: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The assignment is over, or a file was declared differently before. */
    UploadRefused: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description The assignment is over, another result was reported before, or declared files have not arrived. */
    ResultRefused: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
  }
  parameters: {
    /**
     * @description At most so many items.
     * @example 50
     */
    Limit: number
    /** @description The `nextCursor` of the page before. */
    Cursor: components['schemas']['Cursor']
    /**
     * @description The API key's id.
     * @example 019a8f00-0006-7000-8000-000000000006
     */
    ApiKeyId: components['schemas']['Id']
    /**
     * @description The session's id.
     * @example 019a8f00-000a-7000-8000-00000000000a
     */
    SessionId: components['schemas']['Id']
    /**
     * @description The person's id, or their email.
     * @example 019a8f00-0001-7000-8000-000000000001
     */
    UserId: string
    /**
     * @description The polygon's id.
     * @example 019a8f00-0002-7000-8000-000000000002
     */
    PolygonId: components['schemas']['Id']
    /**
     * @description The `ETag` that you have, or several. While it is the same, the answer is 304 without a body.
     * @example "1"
     */
    IfNoneMatch: string
    /**
     * @description The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.
     * @example "1"
     */
    IfMatch: string
    /** @description Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`. */
    IfAbsent: '*'
    /**
     * @description The note's id.
     * @example 019a8f00-0010-7000-8000-000000000010
     */
    NoteId: components['schemas']['Id']
    /**
     * @description The image's id.
     * @example 019a8f00-0011-7000-8000-000000000011
     */
    ImageId: components['schemas']['Id']
    /**
     * @description The region's name.
     * @example lizard-island
     */
    Region: components['schemas']['RegionName']
    /**
     * @description The layer's name.
     * @example depth
     */
    Layer: components['schemas']['LayerName']
    /**
     * @description Makes a retry safe. For 24 hours the same key and body give the same answer; the same key with another body is refused with
     *     422, and with 409 while the first request is still under way.
     * @example 5c1f7c52-6c0e-4b6e-8d0a-2b0f4d8e9a11
     */
    IdempotencyKey: string
    /**
     * @description The job's id.
     * @example 019a8f00-0003-7000-8000-000000000003
     */
    JobId: components['schemas']['Id']
    /**
     * @description The assignment's id.
     * @example 019a8f00-0005-7000-8000-000000000005
     */
    AssignmentId: components['schemas']['Id']
  }
  requestBodies: never
  headers: {
    /**
     * @description Seconds after which to try again.
     * @example 5
     */
    RetryAfter: number
    /**
     * @description Where the new resource is.
     * @example /api/users/me/api-keys
     */
    ApiKeysLocation: string
    /**
     * @description Where the new resource is.
     * @example /api/users/019a8f00-0001-7000-8000-000000000001
     */
    UserLocation: string
    /**
     * @description Where the new resource is.
     * @example /api/polygons/019a8f00-0002-7000-8000-000000000002
     */
    PolygonLocation: string
    /**
     * @description Names this version of the resource, and the kind that you were sent. Send it back as `If-Match` to write, as `If-None-Match` to read.
     * @example "1"
     */
    ETag: string
    /**
     * @description Where the new resource is.
     * @example /api/notes/019a8f00-0010-7000-8000-000000000010
     */
    NoteLocation: string
    /**
     * @description Where the new resource is.
     * @example /api/images/019a8f00-0011-7000-8000-000000000011
     */
    ImageLocation: string
    /**
     * @description Where the new resource is.
     * @example /api/regions/lizard-island
     */
    RegionLocation: string
    /**
     * @description Where the new resource is.
     * @example /api/jobs/019a8f00-0003-7000-8000-000000000003
     */
    Location: string
  }
  pathItems: never
}
export type $defs = Record<string, never>
export interface operations {
  register: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "email": "ana@reef.example",
         *       "password": "slow-tides-carry-sand",
         *       "name": "Ana Torres"
         *     }
         */
        'application/json': components['schemas']['RegisterRequest']
      }
    }
    responses: {
      /** @description The account exists. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "userId": "019a8f00-0001-7000-8000-000000000001"
           *     }
           */
          'application/json': components['schemas']['Registration']
        }
      }
      400: components['responses']['RegistrationRefused']
      403: components['responses']['RegistrationClosed']
      429: components['responses']['TooManyAttempts']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  login: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "email": "ana@reef.example",
         *       "password": "slow-tides-carry-sand"
         *     }
         */
        'application/json': components['schemas']['LoginRequest']
      }
    }
    responses: {
      /** @description Signed in. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIwMTlhOGYwMC0wMDAxIn0.c2lnbmF0dXJl",
           *       "refreshToken": "fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E",
           *       "expiresIn": 3600
           *     }
           */
          'application/json': components['schemas']['Tokens']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['InvalidCredentials']
      429: components['responses']['TooManyAttempts']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  refreshToken: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "refreshToken": "fsr_7Yv0bq3nJkq2uVY1mJ0iQ5e8tq0rWQdXfQ1cQ9o3b2E"
         *     }
         */
        'application/json': components['schemas']['TokenRequest']
      }
    }
    responses: {
      /** @description New tokens. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIwMTlhOGYwMC0wMDAxIiwibiI6Mn0.c2lnbmF0dXJl",
           *       "refreshToken": "fsr_p9Rk2LxW0vTq7YhB4nZc8sJ1mDfG6uEoXiA3wKt5QbU",
           *       "expiresIn": 3600
           *     }
           */
          'application/json': components['schemas']['Tokens']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['InvalidRefreshToken']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  logout: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Signed out. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  logoutAll: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description All sessions are over. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  recoverPassword: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "email": "ana@reef.example"
         *     }
         */
        'application/json': components['schemas']['RecoverPasswordRequest']
      }
    }
    responses: {
      /** @description Taken. A mail is on its way if there is such an account. */
      202: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      429: components['responses']['TooManyAttempts']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  resetPassword: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "token": "fsp_9xQm2LrTz8VbKc4WnYh7JdPf1SgAe6Ui3OoRl5XwZtM",
         *       "password": "quiet-lagoons-hold-rain"
         *     }
         */
        'application/json': components['schemas']['ResetPasswordRequest']
      }
    }
    responses: {
      /** @description The password is set. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['ResetRefused']
      429: components['responses']['TooManyAttempts']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getResetPasswordPage: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The page. */
      200: {
        headers: {
          /**
           * @description What the page may do. It runs its own script and reaches this service alone.
           * @example default-src 'none'; script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
           */
          'Content-Security-Policy': string
          [name: string]: unknown
        }
        content: {
          /** @example <!doctype html><title>Set a new password</title> */
          'text/html': string
        }
      }
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getProfile: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The person. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Profile']
        }
      }
      401: components['responses']['Unauthenticated']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getJwks: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The keys. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "keys": [
           *         {
           *           "kty": "RSA",
           *           "kid": "Nq4kZ1uXbq0",
           *           "use": "sig",
           *           "alg": "RS256",
           *           "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri",
           *           "e": "AQAB"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['Jwks']
        }
      }
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getMe: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The person. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['User']
        }
      }
      401: components['responses']['Unauthenticated']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteMe: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The account is gone. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      409: components['responses']['LastAdmin']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  updateMe: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "name": "Ana Torres-Vega",
         *       "wantsJobMail": true
         *     }
         */
        'application/json': components['schemas']['UserMeUpdate']
      }
    }
    responses: {
      /** @description The person as they are now. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0001-7000-8000-000000000001",
           *       "email": "ana@reef.example",
           *       "name": "Ana Torres-Vega",
           *       "roles": [
           *         "USER",
           *         "WORKER"
           *       ],
           *       "isInMailingList": false,
           *       "isPluginUser": false,
           *       "wantsJobMail": true,
           *       "createdAt": "2026-03-02T21:14:05.120Z",
           *       "updatedAt": "2026-03-02T22:05:00.000Z"
           *     }
           */
          'application/json': components['schemas']['User']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listApiKeys: {
    parameters: {
      query?: {
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of keys. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ApiKeyPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createApiKey: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "name": "Cluster worker",
         *       "scopes": [
         *         "jobs:work"
         *       ]
         *     }
         */
        'application/json': components['schemas']['ApiKeyCreate']
      }
    }
    responses: {
      /** @description The key exists. */
      201: {
        headers: {
          Location: components['headers']['ApiKeysLocation']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0006-7000-8000-000000000006",
           *       "name": "Cluster worker",
           *       "scopes": [
           *         "jobs:work"
           *       ],
           *       "prefix": "fs_4kQ9",
           *       "createdAt": "2026-03-02T21:20:00.000Z",
           *       "key": "fs_4kQ9mB0Zc1pXw7Tt2hVfYl8sUe3nRj6aDgKi5oCqHLM"
           *     }
           */
          'application/json': components['schemas']['ApiKeyCreated']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteApiKey: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The API key's id.
         * @example 019a8f00-0006-7000-8000-000000000006
         */
        apiKeyId: components['parameters']['ApiKeyId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Revoked. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['ApiKeyNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  changePassword: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "currentPassword": "slow-tides-carry-sand",
         *       "newPassword": "quiet-lagoons-hold-rain"
         *     }
         */
        'application/json': components['schemas']['PasswordChange']
      }
    }
    responses: {
      /** @description The password is changed. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['PasswordChangeRefused']
      429: components['responses']['TooManyAttempts']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listSessions: {
    parameters: {
      query?: {
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of sessions. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['SessionPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteSession: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The session's id.
         * @example 019a8f00-000a-7000-8000-00000000000a
         */
        sessionId: components['parameters']['SessionId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The session is over. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['SessionNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listUsers: {
    parameters: {
      query?: {
        /**
         * @description People whose email begins so, in whatever case.
         * @example ana@
         */
        email?: string
        /** @description People with this role. */
        role?: components['schemas']['Role']
        /**
         * @description People whose account was made after this instant.
         * @example 2026-03-01T00:00:00.000Z
         */
        createdAfter?: string
        /**
         * @description People whose account was made before this instant.
         * @example 2026-04-01T00:00:00.000Z
         */
        createdBefore?: string
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of people. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['UserPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createUser: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "email": "ana@reef.example",
         *       "name": "Ana Torres",
         *       "roles": [
         *         "USER",
         *         "WORKER"
         *       ]
         *     }
         */
        'application/json': components['schemas']['UserCreate']
      }
    }
    responses: {
      /** @description The account exists. */
      201: {
        headers: {
          Location: components['headers']['UserLocation']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0001-7000-8000-000000000001",
           *       "email": "ana@reef.example",
           *       "name": "Ana Torres",
           *       "roles": [
           *         "USER",
           *         "WORKER"
           *       ],
           *       "isInMailingList": false,
           *       "isPluginUser": false,
           *       "wantsJobMail": true,
           *       "createdAt": "2026-03-02T21:14:05.120Z",
           *       "updatedAt": "2026-03-02T21:16:40.000Z"
           *     }
           */
          'application/json': components['schemas']['User']
        }
      }
      400: components['responses']['RegistrationRefused']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getUser: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The person's id, or their email.
         * @example 019a8f00-0001-7000-8000-000000000001
         */
        userId: components['parameters']['UserId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The person. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0001-7000-8000-000000000001",
           *       "email": "ana@reef.example",
           *       "name": "Ana Torres",
           *       "roles": [
           *         "USER",
           *         "WORKER"
           *       ],
           *       "isInMailingList": false,
           *       "isPluginUser": false,
           *       "wantsJobMail": true,
           *       "createdAt": "2026-03-02T21:14:05.120Z",
           *       "updatedAt": "2026-03-02T21:16:40.000Z"
           *     }
           */
          'application/json': components['schemas']['User']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['UserNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteUser: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The person's id, or their email.
         * @example 019a8f00-0001-7000-8000-000000000001
         */
        userId: components['parameters']['UserId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The person is gone. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['UserNotFound']
      409: components['responses']['LastAdmin']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  updateUser: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The person's id, or their email.
         * @example 019a8f00-0001-7000-8000-000000000001
         */
        userId: components['parameters']['UserId']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "roles": [
         *         "USER",
         *         "WORKER"
         *       ]
         *     }
         */
        'application/json': components['schemas']['UserUpdate']
      }
    }
    responses: {
      /** @description The person as they are now. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0001-7000-8000-000000000001",
           *       "email": "ana@reef.example",
           *       "name": "Ana Torres",
           *       "roles": [
           *         "USER",
           *         "WORKER"
           *       ],
           *       "isInMailingList": false,
           *       "isPluginUser": false,
           *       "wantsJobMail": true,
           *       "createdAt": "2026-03-02T21:14:05.120Z",
           *       "updatedAt": "2026-03-02T21:16:40.000Z"
           *     }
           */
          'application/json': components['schemas']['User']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['UserNotFound']
      409: components['responses']['LastAdmin']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  recoverUserPassword: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The person's id, or their email.
         * @example 019a8f00-0001-7000-8000-000000000001
         */
        userId: components['parameters']['UserId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Taken. A mail is on its way if there is such an account. */
      202: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      429: components['responses']['TooManyAttempts']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listUserApiKeys: {
    parameters: {
      query?: {
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path: {
        /**
         * @description The person's id, or their email.
         * @example 019a8f00-0001-7000-8000-000000000001
         */
        userId: components['parameters']['UserId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of keys. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ApiKeyPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['UserNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteUserApiKey: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The person's id, or their email.
         * @example 019a8f00-0001-7000-8000-000000000001
         */
        userId: components['parameters']['UserId']
        /**
         * @description The API key's id.
         * @example 019a8f00-0006-7000-8000-000000000006
         */
        apiKeyId: components['parameters']['ApiKeyId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The key is revoked. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['UserApiKeyNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listPolygons: {
    parameters: {
      query?: {
        /**
         * @description Polygons whose bounding box meets this one: west, south, east, north in degrees, separated by commas. West greater than east reaches
         *     across the antimeridian.
         * @example 145,-15,146,-14
         */
        bbox?: components['schemas']['BboxText']
        /**
         * @description Polygons whose name has this in it, in whatever case.
         * @example lagoon
         */
        name?: string
        /**
         * @description Polygons that were made after this instant.
         * @example 2026-03-01T00:00:00.000Z
         */
        createdAfter?: string
        /**
         * @description Polygons that were made before this instant.
         * @example 2026-04-01T00:00:00.000Z
         */
        createdBefore?: string
        /**
         * @description Polygons of this person. Only admins see those of others.
         * @example 019a8f00-0001-7000-8000-000000000001
         */
        userId?: components['schemas']['Id']
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of polygons. */
      200: {
        headers: {
          /**
           * @description Where the next page is (RFC 8288), if there is one.
           * @example </api/polygons?limit=50&cursor=MDE5YTg>; rel="next"
           */
          Link?: string
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['PolygonPage']
          'application/geo+json': components['schemas']['PolygonFeatureCollection']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createPolygon: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "name": "Lizard Island lagoon",
         *       "polygon": {
         *         "type": "Polygon",
         *         "coordinates": [
         *           [
         *             [
         *               145.442,
         *               -14.668
         *             ],
         *             [
         *               145.461,
         *               -14.668
         *             ],
         *             [
         *               145.461,
         *               -14.651
         *             ],
         *             [
         *               145.442,
         *               -14.651
         *             ],
         *             [
         *               145.442,
         *               -14.668
         *             ]
         *           ]
         *         ]
         *       }
         *     }
         */
        'application/json': components['schemas']['PolygonWrite']
      }
    }
    responses: {
      /** @description The polygon exists. */
      201: {
        headers: {
          Location: components['headers']['PolygonLocation']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0002-7000-8000-000000000002",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "name": "Lizard Island lagoon",
           *       "polygon": {
           *         "type": "Polygon",
           *         "coordinates": [
           *           [
           *             [
           *               145.442,
           *               -14.668
           *             ],
           *             [
           *               145.461,
           *               -14.668
           *             ],
           *             [
           *               145.461,
           *               -14.651
           *             ],
           *             [
           *               145.442,
           *               -14.651
           *             ],
           *             [
           *               145.442,
           *               -14.668
           *             ]
           *           ]
           *         ]
           *       },
           *       "bbox": [
           *         145.442,
           *         -14.668,
           *         145.461,
           *         -14.651
           *       ],
           *       "areaSquareMeters": 3849705.05,
           *       "centroid": [
           *         145.4515,
           *         -14.6595
           *       ],
           *       "properties": {},
           *       "createdAt": "2026-03-02T21:30:00.000Z",
           *       "updatedAt": "2026-03-02T21:30:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Polygon']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getPolygon: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description The `ETag` that you have, or several. While it is the same, the answer is 304 without a body.
         * @example "1"
         */
        'If-None-Match'?: components['parameters']['IfNoneMatch']
      }
      path: {
        /**
         * @description The polygon's id.
         * @example 019a8f00-0002-7000-8000-000000000002
         */
        polygonId: components['parameters']['PolygonId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The polygon. */
      200: {
        headers: {
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0002-7000-8000-000000000002",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "name": "Lizard Island lagoon",
           *       "polygon": {
           *         "type": "Polygon",
           *         "coordinates": [
           *           [
           *             [
           *               145.442,
           *               -14.668
           *             ],
           *             [
           *               145.461,
           *               -14.668
           *             ],
           *             [
           *               145.461,
           *               -14.651
           *             ],
           *             [
           *               145.442,
           *               -14.651
           *             ],
           *             [
           *               145.442,
           *               -14.668
           *             ]
           *           ]
           *         ]
           *       },
           *       "bbox": [
           *         145.442,
           *         -14.668,
           *         145.461,
           *         -14.651
           *       ],
           *       "areaSquareMeters": 3849705.05,
           *       "centroid": [
           *         145.4515,
           *         -14.6595
           *       ],
           *       "properties": {},
           *       "createdAt": "2026-03-02T21:30:00.000Z",
           *       "updatedAt": "2026-03-02T21:30:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Polygon']
          /**
           * @example {
           *       "type": "Feature",
           *       "id": "019a8f00-0002-7000-8000-000000000002",
           *       "bbox": [
           *         145.442,
           *         -14.668,
           *         145.461,
           *         -14.651
           *       ],
           *       "geometry": {
           *         "type": "Polygon",
           *         "coordinates": [
           *           [
           *             [
           *               145.442,
           *               -14.668
           *             ],
           *             [
           *               145.461,
           *               -14.668
           *             ],
           *             [
           *               145.461,
           *               -14.651
           *             ],
           *             [
           *               145.442,
           *               -14.651
           *             ],
           *             [
           *               145.442,
           *               -14.668
           *             ]
           *           ]
           *         ]
           *       },
           *       "properties": {
           *         "name": "Lizard Island lagoon",
           *         "userId": "019a8f00-0001-7000-8000-000000000001",
           *         "areaSquareMeters": 3849705.05,
           *         "createdAt": "2026-03-02T21:30:00.000Z",
           *         "updatedAt": "2026-03-02T21:30:00.000Z"
           *       }
           *     }
           */
          'application/geo+json': components['schemas']['PolygonFeature']
        }
      }
      304: components['responses']['NotModified']
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['PolygonNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  replacePolygon: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.
         * @example "1"
         */
        'If-Match'?: components['parameters']['IfMatch']
        /** @description Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`. */
        'If-None-Match'?: components['parameters']['IfAbsent']
      }
      path: {
        /**
         * @description The polygon's id.
         * @example 019a8f00-0002-7000-8000-000000000002
         */
        polygonId: components['parameters']['PolygonId']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "name": "Lizard Island lagoon",
         *       "polygon": {
         *         "type": "Polygon",
         *         "coordinates": [
         *           [
         *             [
         *               145.442,
         *               -14.668
         *             ],
         *             [
         *               145.461,
         *               -14.668
         *             ],
         *             [
         *               145.461,
         *               -14.651
         *             ],
         *             [
         *               145.442,
         *               -14.651
         *             ],
         *             [
         *               145.442,
         *               -14.668
         *             ]
         *           ]
         *         ]
         *       }
         *     }
         */
        'application/json': components['schemas']['PolygonWrite']
      }
    }
    responses: {
      /** @description The polygon as it is now. */
      200: {
        headers: {
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0002-7000-8000-000000000002",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "name": "Lizard Island lagoon",
           *       "polygon": {
           *         "type": "Polygon",
           *         "coordinates": [
           *           [
           *             [
           *               145.442,
           *               -14.668
           *             ],
           *             [
           *               145.461,
           *               -14.668
           *             ],
           *             [
           *               145.461,
           *               -14.651
           *             ],
           *             [
           *               145.442,
           *               -14.651
           *             ],
           *             [
           *               145.442,
           *               -14.668
           *             ]
           *           ]
           *         ]
           *       },
           *       "bbox": [
           *         145.442,
           *         -14.668,
           *         145.461,
           *         -14.651
           *       ],
           *       "areaSquareMeters": 3849705.05,
           *       "centroid": [
           *         145.4515,
           *         -14.6595
           *       ],
           *       "properties": {},
           *       "createdAt": "2026-03-02T21:30:00.000Z",
           *       "updatedAt": "2026-03-02T21:35:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Polygon']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['PolygonNotFound']
      412: components['responses']['PreconditionFailed']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deletePolygon: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.
         * @example "1"
         */
        'If-Match'?: components['parameters']['IfMatch']
        /** @description Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`. */
        'If-None-Match'?: components['parameters']['IfAbsent']
      }
      path: {
        /**
         * @description The polygon's id.
         * @example 019a8f00-0002-7000-8000-000000000002
         */
        polygonId: components['parameters']['PolygonId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Deleted. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['PolygonNotFound']
      412: components['responses']['PreconditionFailed']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  importPolygons: {
    parameters: {
      query?: {
        /**
         * @description The property that holds the names, where that is not `name`.
         * @example name
         */
        nameProperty?: string
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "type": "FeatureCollection",
         *       "features": [
         *         {
         *           "type": "Feature",
         *           "properties": {
         *             "name": "Lizard Island lagoon",
         *             "habitat": "lagoon"
         *           },
         *           "geometry": {
         *             "type": "Polygon",
         *             "coordinates": [
         *               [
         *                 [
         *                   145.442,
         *                   -14.668
         *                 ],
         *                 [
         *                   145.461,
         *                   -14.668
         *                 ],
         *                 [
         *                   145.461,
         *                   -14.651
         *                 ],
         *                 [
         *                   145.442,
         *                   -14.651
         *                 ],
         *                 [
         *                   145.442,
         *                   -14.668
         *                 ]
         *               ]
         *             ]
         *           }
         *         }
         *       ]
         *     }
         */
        'application/json': components['schemas']['AreaFeatureCollection']
      }
    }
    responses: {
      /** @description All of them exist. */
      201: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "items": [
           *         {
           *           "id": "019a8f00-0002-7000-8000-000000000002",
           *           "name": "Lizard Island lagoon",
           *           "bbox": [
           *             145.442,
           *             -14.668,
           *             145.461,
           *             -14.651
           *           ],
           *           "areaSquareMeters": 3849705.05
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['PolygonImport']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listPolygonNotes: {
    parameters: {
      query?: {
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path: {
        /**
         * @description The polygon's id.
         * @example 019a8f00-0002-7000-8000-000000000002
         */
        polygonId: components['parameters']['PolygonId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of notes. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['NotePage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['PolygonNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listNotes: {
    parameters: {
      query?: {
        /**
         * @description Those about this polygon.
         * @example 019a8f00-0002-7000-8000-000000000002
         */
        polygonId?: components['schemas']['Id']
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of notes. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['NotePage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createNote: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
         *       "content": "Bleaching on the western edge; come back after the next full moon."
         *     }
         */
        'application/json': components['schemas']['NoteCreate']
      }
    }
    responses: {
      /** @description The note exists. */
      201: {
        headers: {
          Location: components['headers']['NoteLocation']
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0010-7000-8000-000000000010",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
           *       "content": "Bleaching on the western edge; come back after the next full moon.",
           *       "createdAt": "2026-03-02T21:36:00.000Z",
           *       "updatedAt": "2026-03-02T21:36:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Note']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['PolygonNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getNote: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description The `ETag` that you have, or several. While it is the same, the answer is 304 without a body.
         * @example "1"
         */
        'If-None-Match'?: components['parameters']['IfNoneMatch']
      }
      path: {
        /**
         * @description The note's id.
         * @example 019a8f00-0010-7000-8000-000000000010
         */
        noteId: components['parameters']['NoteId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The note. */
      200: {
        headers: {
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0010-7000-8000-000000000010",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
           *       "content": "Bleaching on the western edge; come back after the next full moon.",
           *       "createdAt": "2026-03-02T21:36:00.000Z",
           *       "updatedAt": "2026-03-02T21:36:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Note']
        }
      }
      304: components['responses']['NotModified']
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['NoteNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  replaceNote: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.
         * @example "1"
         */
        'If-Match'?: components['parameters']['IfMatch']
        /** @description Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`. */
        'If-None-Match'?: components['parameters']['IfAbsent']
      }
      path: {
        /**
         * @description The note's id.
         * @example 019a8f00-0010-7000-8000-000000000010
         */
        noteId: components['parameters']['NoteId']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "content": "Bleaching on the western edge; no worse a month later."
         *     }
         */
        'application/json': components['schemas']['NoteUpdate']
      }
    }
    responses: {
      /** @description The note as it is now. */
      200: {
        headers: {
          ETag: components['headers']['ETag']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0010-7000-8000-000000000010",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
           *       "content": "Bleaching on the western edge; no worse a month later.",
           *       "createdAt": "2026-03-02T21:36:00.000Z",
           *       "updatedAt": "2026-04-02T20:10:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Note']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['NoteNotFound']
      412: components['responses']['PreconditionFailed']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteNote: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description The `ETag` that you read, of whatever kind, or several. The write is refused with 412 if the resource has changed since. A weak tag matches nothing, and `*` whatever is there.
         * @example "1"
         */
        'If-Match'?: components['parameters']['IfMatch']
        /** @description Only `*`, which asks that nothing be there. The write is then refused with 412 if there is anything. For versions there is `If-Match`. */
        'If-None-Match'?: components['parameters']['IfAbsent']
      }
      path: {
        /**
         * @description The note's id.
         * @example 019a8f00-0010-7000-8000-000000000010
         */
        noteId: components['parameters']['NoteId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Deleted. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['NoteNotFound']
      412: components['responses']['PreconditionFailed']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listImages: {
    parameters: {
      query?: {
        /**
         * @description Those of this polygon.
         * @example 019a8f00-0002-7000-8000-000000000002
         */
        polygonId?: components['schemas']['Id']
        /**
         * @description Those of this note.
         * @example 019a8f00-0010-7000-8000-000000000010
         */
        noteId?: components['schemas']['Id']
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of images. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ImagePage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createImage: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "file": "récif \"ouest\".jpg",
         *       "polygonId": "019a8f00-0002-7000-8000-000000000002"
         *     }
         */
        'multipart/form-data': components['schemas']['ImageForm']
      }
    }
    responses: {
      /** @description The image is kept. */
      201: {
        headers: {
          Location: components['headers']['ImageLocation']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0011-7000-8000-000000000011",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "name": "récif \"ouest\".jpg",
           *       "contentType": "image/jpeg",
           *       "sizeBytes": 48213,
           *       "width": 1600,
           *       "height": 1200,
           *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
           *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
           *       "createdAt": "2026-03-02T21:37:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Image']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      413: components['responses']['ImageTooLarge']
      415: components['responses']['NoImage']
      422: components['responses']['ImageRefused']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createImageUpload: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "name": "récif \"ouest\".jpg",
         *       "contentType": "image/jpeg",
         *       "sizeBytes": 48213,
         *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "polygonId": "019a8f00-0002-7000-8000-000000000002"
         *     }
         */
        'application/json': components['schemas']['ImageUpload']
      }
    }
    responses: {
      /** @description The image awaits its file. */
      201: {
        headers: {
          Location: components['headers']['ImageLocation']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "imageId": "019a8f00-0011-7000-8000-000000000011",
           *       "upload": {
           *         "name": "019a8f00-0011-7000-8000-000000000011.jpg",
           *         "url": "http://127.0.0.1:3000/objects/images/019a8f00-0011-7000-8000-000000000011?signature=Zx1c",
           *         "method": "PUT",
           *         "headers": {
           *           "content-type": "image/jpeg"
           *         },
           *         "expiresAt": "2026-03-02T22:37:00.000Z"
           *       }
           *     }
           */
          'application/json': components['schemas']['ImageUploadCreated']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      413: components['responses']['ImageTooLarge']
      422: components['responses']['AttachmentUnknown']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getImage: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description One range of bytes. Several are answered with the whole.
         * @example bytes=0-1023
         */
        Range?: string
        /**
         * @description The `ETag` of which a part is there already. If it is another by now, the whole comes.
         * @example "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
         */
        'If-Range'?: string
        /**
         * @description The `ETag` that you have, or several.
         * @example "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
         */
        'If-None-Match'?: string
        /**
         * @description The `Last-Modified` that you have. Heard where there is no `If-None-Match`.
         * @example Mon, 02 Mar 2026 21:37:00 GMT
         */
        'If-Modified-Since'?: string
        /**
         * @description The `ETag` that it must have, or several. If it has another, the answer is 412.
         * @example "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
         */
        'If-Match'?: string
        /**
         * @description If it has changed since then, the answer is 412. Heard where there is no `If-Match`.
         * @example Mon, 02 Mar 2026 21:37:00 GMT
         */
        'If-Unmodified-Since'?: string
      }
      path: {
        /**
         * @description The image's id.
         * @example 019a8f00-0011-7000-8000-000000000011
         */
        imageId: components['parameters']['ImageId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The image. */
      200: {
        headers: {
          /**
           * @description Names these bytes, which never change. Send it back as `If-None-Match`.
           * @example "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
           */
          ETag: string
          /**
           * @description When it was uploaded.
           * @example Mon, 02 Mar 2026 21:37:00 GMT
           */
          'Last-Modified': string
          /**
           * @description Parts of it can be asked for, in bytes.
           * @example bytes
           */
          'Accept-Ranges': string
          /**
           * @description To be kept by whoever asked, and asked for anew by its `ETag` each time; to be sent on as it is.
           * @example private, no-cache, no-transform
           */
          'Cache-Control': string
          /**
           * @description How many bytes come.
           * @example 48213
           */
          'Content-Length': string
          /**
           * @description The name under which to save it (RFC 6266).
           * @example attachment; filename="r_cif _ouest_.jpg"; filename*=UTF-8''r%C3%A9cif%20%22ouest%22.jpg
           */
          'Content-Disposition': string
          [name: string]: unknown
        }
        content: {
          /** @example  */
          'image/jpeg': string
          /** @example  */
          'image/png': string
          /** @example  */
          'image/webp': string
          /** @example  */
          'image/gif': string
          /** @example  */
          'image/tiff': string
        }
      }
      /** @description The range of it. */
      206: {
        headers: {
          /**
           * @description Names these bytes, which never change. Send it back as `If-None-Match`.
           * @example "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
           */
          ETag: string
          /**
           * @description When it was uploaded.
           * @example Mon, 02 Mar 2026 21:37:00 GMT
           */
          'Last-Modified': string
          /**
           * @description Parts of it can be asked for, in bytes.
           * @example bytes
           */
          'Accept-Ranges': string
          /**
           * @description To be kept by whoever asked, and asked for anew by its `ETag` each time; to be sent on as it is.
           * @example private, no-cache, no-transform
           */
          'Cache-Control': string
          /**
           * @description How many bytes come.
           * @example 1024
           */
          'Content-Length': string
          /**
           * @description The name under which to save it (RFC 6266).
           * @example attachment; filename="r_cif _ouest_.jpg"; filename*=UTF-8''r%C3%A9cif%20%22ouest%22.jpg
           */
          'Content-Disposition': string
          /**
           * @description Which bytes these are, and of how many.
           * @example bytes 0-1023/48213
           */
          'Content-Range': string
          [name: string]: unknown
        }
        content: {
          /** @example  */
          'image/jpeg': string
          /** @example  */
          'image/png': string
          /** @example  */
          'image/webp': string
          /** @example  */
          'image/gif': string
          /** @example  */
          'image/tiff': string
        }
      }
      /** @description You have these very bytes. */
      304: {
        headers: {
          /**
           * @description Names these bytes, which never change. Send it back as `If-None-Match`.
           * @example "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
           */
          ETag: string
          /**
           * @description When it was uploaded.
           * @example Mon, 02 Mar 2026 21:37:00 GMT
           */
          'Last-Modified': string
          /**
           * @description Parts of it can be asked for, in bytes.
           * @example bytes
           */
          'Accept-Ranges': string
          /**
           * @description To be kept by whoever asked, and asked for anew by its `ETag` each time; to be sent on as it is.
           * @example private, no-cache, no-transform
           */
          'Cache-Control': string
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['ImageNotFound']
      412: components['responses']['PreconditionFailed']
      416: components['responses']['RangeNotSatisfiable']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteImage: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The image's id.
         * @example 019a8f00-0011-7000-8000-000000000011
         */
        imageId: components['parameters']['ImageId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Deleted. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['ImageNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  updateImage: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The image's id.
         * @example 019a8f00-0011-7000-8000-000000000011
         */
        imageId: components['parameters']['ImageId']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "polygonId": "019a8f00-0002-7000-8000-000000000002"
         *     }
         */
        'application/json': components['schemas']['ImageUpdate']
      }
    }
    responses: {
      /** @description What is known of it now. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0011-7000-8000-000000000011",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "name": "récif \"ouest\".jpg",
           *       "contentType": "image/jpeg",
           *       "sizeBytes": 48213,
           *       "width": 1600,
           *       "height": 1200,
           *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
           *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
           *       "createdAt": "2026-03-02T21:37:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Image']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['ImageNotFound']
      422: components['responses']['AttachmentUnknown']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getImageMetadata: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The image's id.
         * @example 019a8f00-0011-7000-8000-000000000011
         */
        imageId: components['parameters']['ImageId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description What is known of it. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0011-7000-8000-000000000011",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "name": "récif \"ouest\".jpg",
           *       "contentType": "image/jpeg",
           *       "sizeBytes": 48213,
           *       "width": 1600,
           *       "height": 1200,
           *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
           *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
           *       "createdAt": "2026-03-02T21:37:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Image']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['ImageNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  completeImageUpload: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The image's id.
         * @example 019a8f00-0011-7000-8000-000000000011
         */
        imageId: components['parameters']['ImageId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The image is kept. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "id": "019a8f00-0011-7000-8000-000000000011",
           *       "userId": "019a8f00-0001-7000-8000-000000000001",
           *       "name": "récif \"ouest\".jpg",
           *       "contentType": "image/jpeg",
           *       "sizeBytes": 48213,
           *       "width": 1600,
           *       "height": 1200,
           *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
           *       "polygonId": "019a8f00-0002-7000-8000-000000000002",
           *       "createdAt": "2026-03-02T21:37:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Image']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['ImageNotFound']
      409: components['responses']['ImageUploadIncomplete']
      415: components['responses']['NoImage']
      422: components['responses']['ImageRefused']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listRegions: {
    parameters: {
      query?: {
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of regions. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['RegionPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getRegion: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The region's name.
         * @example lizard-island
         */
        region: components['parameters']['Region']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The region. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "name": "lizard-island",
           *       "title": "Lizard Island",
           *       "description": "The reef slope around Lizard Island.",
           *       "layers": [
           *         {
           *           "name": "depth",
           *           "version": 1,
           *           "status": "READY",
           *           "sizeBytes": 16571700,
           *           "inspectionJobId": "019a8f00-0007-7000-8000-000000000007",
           *           "readyVersion": 1,
           *           "createdAt": "2026-03-01T04:00:00.000Z"
           *         }
           *       ],
           *       "createdAt": "2026-03-01T03:58:00.000Z",
           *       "updatedAt": "2026-03-01T03:58:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Region']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['RegionNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  putRegion: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The region's name.
         * @example lizard-island
         */
        region: components['parameters']['Region']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "title": "Lizard Island",
         *       "description": "The reef slope around Lizard Island."
         *     }
         */
        'application/json': components['schemas']['RegionWrite']
      }
    }
    responses: {
      /** @description The region as it is now. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "name": "lizard-island",
           *       "title": "Lizard Island",
           *       "description": "The reef slope around Lizard Island.",
           *       "layers": [
           *         {
           *           "name": "depth",
           *           "version": 1,
           *           "status": "READY",
           *           "sizeBytes": 16571700,
           *           "inspectionJobId": "019a8f00-0007-7000-8000-000000000007",
           *           "readyVersion": 1,
           *           "createdAt": "2026-03-01T04:00:00.000Z"
           *         }
           *       ],
           *       "createdAt": "2026-03-01T03:58:00.000Z",
           *       "updatedAt": "2026-03-01T03:58:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Region']
        }
      }
      /** @description The region exists. */
      201: {
        headers: {
          Location: components['headers']['RegionLocation']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "name": "lizard-island",
           *       "title": "Lizard Island",
           *       "description": "The reef slope around Lizard Island.",
           *       "layers": [],
           *       "createdAt": "2026-03-01T03:58:00.000Z",
           *       "updatedAt": "2026-03-01T03:58:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Region']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteRegion: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The region's name.
         * @example lizard-island
         */
        region: components['parameters']['Region']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Deleted. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['RegionNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  deleteLayer: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The region's name.
         * @example lizard-island
         */
        region: components['parameters']['Region']
        /**
         * @description The layer's name.
         * @example depth
         */
        layer: components['parameters']['Layer']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Deleted. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['LayerNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createLayerUpload: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The region's name.
         * @example lizard-island
         */
        region: components['parameters']['Region']
        /**
         * @description The layer's name.
         * @example depth
         */
        layer: components['parameters']['Layer']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "sizeBytes": 16571700,
         *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
         *       "contentType": "image/tiff"
         *     }
         */
        'application/json': components['schemas']['LayerUpload']
      }
    }
    responses: {
      /** @description The version awaits its file. */
      201: {
        headers: {
          Location: components['headers']['RegionLocation']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "version": 1,
           *       "upload": {
           *         "name": "depth.tif",
           *         "url": "http://127.0.0.1:3000/objects/regions/lizard-island/depth/1.tif?signature=Zx1c",
           *         "method": "PUT",
           *         "headers": {
           *           "content-type": "image/tiff"
           *         },
           *         "expiresAt": "2026-03-01T05:00:00.000Z"
           *       }
           *     }
           */
          'application/json': components['schemas']['LayerUploadCreated']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['RegionNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  completeLayer: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The region's name.
         * @example lizard-island
         */
        region: components['parameters']['Region']
        /**
         * @description The layer's name.
         * @example depth
         */
        layer: components['parameters']['Layer']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "version": 1
         *     }
         */
        'application/json': components['schemas']['LayerComplete']
      }
    }
    responses: {
      /** @description The inspection is under way. */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "name": "depth",
           *       "version": 1,
           *       "status": "INSPECTING",
           *       "sizeBytes": 16571700,
           *       "inspectionJobId": "019a8f00-0007-7000-8000-000000000007",
           *       "createdAt": "2026-03-01T04:00:00.000Z"
           *     }
           */
          'application/json': components['schemas']['Layer']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['LayerNotFound']
      409: components['responses']['UploadIncomplete']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listJobTypes: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The job types, all on one page. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "items": [
           *         {
           *           "type": "SUITABILITY_ASSESSMENT",
           *           "title": "Find suitable sites",
           *           "version": 1,
           *           "isInternal": false,
           *           "isCacheable": true,
           *           "leaseSeconds": 60,
           *           "timeoutSeconds": 3600,
           *           "maxAttempts": 3,
           *           "compute": {
           *             "cpuUnits": 1024,
           *             "memoryMiB": 1024
           *           },
           *           "inputSchema": {
           *             "type": "object",
           *             "required": [
           *               "region",
           *               "criteria",
           *               "xDist",
           *               "yDist",
           *               "threshold"
           *             ],
           *             "properties": {
           *               "region": {
           *                 "type": "string"
           *               },
           *               "criteria": {
           *                 "type": "object"
           *               },
           *               "xDist": {
           *                 "type": "number"
           *               },
           *               "yDist": {
           *                 "type": "number"
           *               },
           *               "threshold": {
           *                 "type": "number"
           *               },
           *               "polygonId": {
           *                 "type": "string",
           *                 "format": "uuid"
           *               }
           *             }
           *           }
           *         },
           *         {
           *           "type": "TEST",
           *           "title": "Try a deployment out",
           *           "version": 1,
           *           "isInternal": false,
           *           "isCacheable": true,
           *           "leaseSeconds": 20,
           *           "timeoutSeconds": 900,
           *           "maxAttempts": 3,
           *           "compute": {
           *             "cpuUnits": 256,
           *             "memoryMiB": 512
           *           },
           *           "inputSchema": {
           *             "type": "object",
           *             "required": [
           *               "id"
           *             ],
           *             "properties": {
           *               "id": {
           *                 "type": "integer"
           *               }
           *             }
           *           }
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['JobTypePage']
        }
      }
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getJobType: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The job type's name.
         * @example TEST
         */
        type: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The job type. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "type": "TEST",
           *       "title": "Try a deployment out",
           *       "version": 1,
           *       "isInternal": false,
           *       "isCacheable": true,
           *       "leaseSeconds": 20,
           *       "timeoutSeconds": 900,
           *       "maxAttempts": 3,
           *       "compute": {
           *         "cpuUnits": 256,
           *         "memoryMiB": 512
           *       },
           *       "inputSchema": {
           *         "type": "object",
           *         "required": [
           *           "id"
           *         ],
           *         "properties": {
           *           "id": {
           *             "type": "integer"
           *           }
           *         }
           *       }
           *     }
           */
          'application/json': components['schemas']['JobTypeDescription']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['JobTypeNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listJobs: {
    parameters: {
      query?: {
        /** @description Only jobs in this state. */
        status?: components['schemas']['JobStatus']
        /** @description Only jobs of this type. */
        type?: components['schemas']['JobType']
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of jobs. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['JobPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createJob: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description Makes a retry safe. For 24 hours the same key and body give the same answer; the same key with another body is refused with
         *     422, and with 409 while the first request is still under way.
         * @example 5c1f7c52-6c0e-4b6e-8d0a-2b0f4d8e9a11
         */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey']
      }
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['JobCreate']
      }
    }
    responses: {
      /** @description The job exists. */
      201: {
        headers: {
          Location: components['headers']['Location']
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['JobCreated']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['JobForbidden']
      409: components['responses']['IdempotencyInProgress']
      422: components['responses']['Unprocessable']
      429: components['responses']['TooManyRequests']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listJobRequests: {
    parameters: {
      query?: {
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of requests. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['JobRequestPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getJob: {
    parameters: {
      query?: {
        /** @description Wait so long for the job to change, unless it is final. */
        waitSeconds?: number
        /** @description With `waitSeconds`: answer as soon as `lastEventId` is beyond this. Without it, the next change counts. */
        afterEventId?: number
      }
      header?: never
      path: {
        /**
         * @description The job's id.
         * @example 019a8f00-0003-7000-8000-000000000003
         */
        jobId: components['parameters']['JobId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The job. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Job']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['JobNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  cancelJob: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The job's id.
         * @example 019a8f00-0003-7000-8000-000000000003
         */
        jobId: components['parameters']['JobId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The job as it is now. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Job']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['JobNotFound']
      409: components['responses']['JobFinished']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listJobLogs: {
    parameters: {
      query?: {
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path: {
        /**
         * @description The job's id.
         * @example 019a8f00-0003-7000-8000-000000000003
         */
        jobId: components['parameters']['JobId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of log entries. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "items": [
           *         {
           *           "id": 3,
           *           "at": "2026-03-02T21:40:00.250Z",
           *           "level": "INFO",
           *           "message": "Fetching layer depth"
           *         },
           *         {
           *           "id": 4,
           *           "at": "2026-03-02T21:40:03.100Z",
           *           "level": "INFO",
           *           "message": "slope is derived from the layer depth"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['JobLogPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['JobNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  streamJobEvents: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description The id of the last event that was seen.
         * @example 4
         */
        'Last-Event-ID'?: number
      }
      path: {
        /**
         * @description The job's id.
         * @example 019a8f00-0003-7000-8000-000000000003
         */
        jobId: components['parameters']['JobId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Events. The data of each is a `JobEvent`. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'text/event-stream': string
        }
      }
      /** @description The job is final and there is no further event. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['JobNotFound']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  downloadJob: {
    parameters: {
      query?: {
        /** @description How long the links work. */
        expirySeconds?: number
      }
      header?: never
      path: {
        /**
         * @description The job's id.
         * @example 019a8f00-0003-7000-8000-000000000003
         */
        jobId: components['parameters']['JobId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The links. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "job": {
           *         "id": "019a8f00-0003-7000-8000-000000000003",
           *         "type": "SUITABILITY_ASSESSMENT",
           *         "status": "SUCCEEDED"
           *       },
           *       "files": {
           *         "sites.geojson": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.geojson?signature=Qd7w",
           *         "sites.png": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.png?signature=Tt0k",
           *         "summary.json": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/summary.json?signature=Lm3s"
           *       }
           *     }
           */
          'application/json': components['schemas']['JobDownload']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['JobNotFound']
      409: components['responses']['JobNotSucceeded']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  pollJobs: {
    parameters: {
      query?: {
        /** @description Only jobs of this type. */
        jobType?: components['schemas']['JobType']
        /** @description At most so many jobs. */
        limit?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Jobs that wait. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "jobs": [
           *         {
           *           "id": "019a8f00-0003-7000-8000-000000000003",
           *           "type": "SUITABILITY_ASSESSMENT",
           *           "inputPayload": {
           *             "region": "lizard-island",
           *             "criteria": {
           *               "depth": {
           *                 "min": -10,
           *                 "max": -4
           *               },
           *               "slope": {
           *                 "max": 30
           *               }
           *             },
           *             "xDist": 100,
           *             "yDist": 50,
           *             "threshold": 0.9,
           *             "polygon": {
           *               "type": "Polygon",
           *               "coordinates": [
           *                 [
           *                   [
           *                     145.442,
           *                     -14.668
           *                   ],
           *                   [
           *                     145.461,
           *                     -14.668
           *                   ],
           *                   [
           *                     145.461,
           *                     -14.651
           *                   ],
           *                   [
           *                     145.442,
           *                     -14.651
           *                   ],
           *                   [
           *                     145.442,
           *                     -14.668
           *                   ]
           *                 ]
           *               ]
           *             }
           *           },
           *           "priority": "NORMAL",
           *           "attempts": 0,
           *           "maxAttempts": 3,
           *           "createdAt": "2026-03-02T21:40:00.000Z"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['JobPoll']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  assignJob: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "jobId": "019a8f00-0003-7000-8000-000000000003",
         *       "workerName": "hpc-node-17"
         *     }
         */
        'application/json': components['schemas']['AssignRequest']
      }
    }
    responses: {
      /** @description The job is yours. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "assignment": {
           *         "id": "019a8f00-0005-7000-8000-000000000005",
           *         "jobId": "019a8f00-0003-7000-8000-000000000003",
           *         "attempt": 1,
           *         "token": "fsa_kT3xQ0aVt8mZrW5bYc1LhN7uEo2DsGi9PfXj4Rq6vBI",
           *         "createdAt": "2026-03-02T21:40:00.007Z",
           *         "expiresAt": "2026-03-02T21:41:00.007Z",
           *         "deadlineAt": "2026-03-02T22:40:00.007Z",
           *         "workerName": "hpc-node-17"
           *       }
           *     }
           */
          'application/json': components['schemas']['Assigned']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['JobNotFound']
      409: components['responses']['JobNotAvailable']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  claimJobs: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "jobTypes": [
         *         "SUITABILITY_ASSESSMENT",
         *         "TEST"
         *       ],
         *       "limit": 1,
         *       "waitSeconds": 20,
         *       "workerName": "hpc-node-17"
         *     }
         */
        'application/json': components['schemas']['ClaimRequest']
      }
    }
    responses: {
      /** @description The jobs that are yours now. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Claims']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  heartbeat: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The assignment's id.
         * @example 019a8f00-0005-7000-8000-000000000005
         */
        assignmentId: components['parameters']['AssignmentId']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "progress": 0.4
         *     }
         */
        'application/json': components['schemas']['HeartbeatRequest']
      }
    }
    responses: {
      /** @description The lease is extended. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "expiresAt": "2026-03-02T21:41:04.000Z",
           *       "deadlineAt": "2026-03-02T22:40:00.007Z"
           *     }
           */
          'application/json': components['schemas']['Heartbeat']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['AssignmentNotFound']
      409: components['responses']['AssignmentLost']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  appendLogs: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The assignment's id.
         * @example 019a8f00-0005-7000-8000-000000000005
         */
        assignmentId: components['parameters']['AssignmentId']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "entries": [
         *         {
         *           "level": "INFO",
         *           "message": "slope is derived from the layer depth"
         *         }
         *       ]
         *     }
         */
        'application/json': components['schemas']['LogEntries']
      }
    }
    responses: {
      /** @description Kept. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['AssignmentNotFound']
      409: components['responses']['AssignmentLost']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listInputs: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The assignment's id.
         * @example 019a8f00-0005-7000-8000-000000000005
         */
        assignmentId: components['parameters']['AssignmentId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The links. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "items": [
           *         {
           *           "name": "layers/depth.tif",
           *           "url": "http://127.0.0.1:3000/objects/regions/lizard-island/depth/1.tif?signature=Qd7w",
           *           "sizeBytes": 16571700,
           *           "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
           *           "contentType": "image/tiff",
           *           "expiresAt": "2026-03-02T22:40:00.000Z"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['JobInputs']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['AssignmentNotFound']
      409: components['responses']['AssignmentLost']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  createUploads: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The assignment's id.
         * @example 019a8f00-0005-7000-8000-000000000005
         */
        assignmentId: components['parameters']['AssignmentId']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "files": [
         *         {
         *           "name": "sites.geojson",
         *           "sizeBytes": 20480,
         *           "sha256": "5e2b7c0d9a41f6838c1be07d42f95a6310cbd8e7f2946a05b3d81c7e6f90a42d",
         *           "contentType": "application/geo+json"
         *         }
         *       ]
         *     }
         */
        'application/json': components['schemas']['UploadsRequest']
      }
    }
    responses: {
      /** @description Where to send the files. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "items": [
           *         {
           *           "name": "sites.geojson",
           *           "url": "http://127.0.0.1:3000/objects/results/019a8f00-0005-7000-8000-000000000005/sites.geojson?signature=Zx1c",
           *           "method": "PUT",
           *           "headers": {
           *             "content-type": "application/geo+json"
           *           },
           *           "expiresAt": "2026-03-02T22:40:08.000Z"
           *         }
           *       ]
           *     }
           */
          'application/json': components['schemas']['SignedUploads']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['AssignmentNotFound']
      409: components['responses']['UploadRefused']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  releaseJob: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The assignment's id.
         * @example 019a8f00-0005-7000-8000-000000000005
         */
        assignmentId: components['parameters']['AssignmentId']
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Given back. */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['AssignmentNotFound']
      409: components['responses']['AssignmentLost']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  reportResult: {
    parameters: {
      query?: never
      header?: never
      path: {
        /**
         * @description The assignment's id.
         * @example 019a8f00-0005-7000-8000-000000000005
         */
        assignmentId: components['parameters']['AssignmentId']
      }
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "status": "SUCCEEDED",
         *       "resultPayload": {
         *         "cells": 18363400,
         *         "validCells": 142310,
         *         "suitableCells": 43018,
         *         "areaSquareMeters": 3557750,
         *         "suitableAreaSquareMeters": 1075450,
         *         "criteria": {
         *           "depth": {
         *             "min": -10,
         *             "max": -4,
         *             "passRate": 0.31
         *           },
         *           "slope": {
         *             "max": 30,
         *             "passRate": 0.98
         *           }
         *         },
         *         "sites": 163,
         *         "sitesTruncated": false,
         *         "bestScore": 1,
         *         "xDist": 100,
         *         "yDist": 50,
         *         "threshold": 0.9
         *       }
         *     }
         */
        'application/json': components['schemas']['ResultRequest']
      }
    }
    responses: {
      /** @description Accepted. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "assignmentId": "019a8f00-0005-7000-8000-000000000005",
           *       "jobId": "019a8f00-0003-7000-8000-000000000003",
           *       "status": "SUCCEEDED",
           *       "willRetry": false
           *     }
           */
          'application/json': components['schemas']['ResultAccepted']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      404: components['responses']['AssignmentNotFound']
      409: components['responses']['ResultRefused']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  sendEmail: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        /**
         * @example {
         *       "recipients": [
         *         "ana@reef.example"
         *       ],
         *       "subject": "Survey of Lizard Island",
         *       "text": "The boats leave at six on Tuesday."
         *     }
         */
        'application/json': components['schemas']['EmailRequest']
      }
    }
    responses: {
      /** @description The mails are on their way. */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "emailIds": [
           *         "019a8f00-000b-7000-8000-00000000000b"
           *       ]
           *     }
           */
          'application/json': components['schemas']['EmailAccepted']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      429: components['responses']['TooManyAttempts']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  listAuditEvents: {
    parameters: {
      query?: {
        /** @description Events of this kind. */
        action?: components['schemas']['AuditAction']
        /** @description What this person did. */
        actorId?: components['schemas']['Id']
        /** @description What happened to this person. */
        userId?: components['schemas']['Id']
        /**
         * @description Events after this instant.
         * @example 2026-03-01T00:00:00.000Z
         */
        after?: string
        /**
         * @description Events before this instant.
         * @example 2026-04-01T00:00:00.000Z
         */
        before?: string
        /**
         * @description At most so many items.
         * @example 50
         */
        limit?: components['parameters']['Limit']
        /** @description The `nextCursor` of the page before. */
        cursor?: components['parameters']['Cursor']
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description A page of events. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['AuditEventPage']
        }
      }
      400: components['responses']['InvalidRequest']
      401: components['responses']['Unauthenticated']
      403: components['responses']['Forbidden']
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getContract: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The contract. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "openapi": "3.0.3",
           *       "info": {
           *         "title": "Fieldstation API",
           *         "version": "0.1.0"
           *       },
           *       "paths": {}
           *     }
           */
          'application/json': {
            [key: string]: unknown
          }
        }
      }
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getDocs: {
    parameters: {
      query?: never
      header?: {
        /**
         * @description The `ETag` of the page that you have. While it is the same, it is not sent again.
         * @example W/"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
         */
        'If-None-Match'?: string
      }
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description The page. */
      200: {
        headers: {
          /**
           * @description Names this version of the page. Send it back as `If-None-Match`.
           * @example W/"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
           */
          ETag: string
          /**
           * @description Keep the page, and ask each time whether it is still the same.
           * @example no-cache
           */
          'Cache-Control': string
          /**
           * @description What the page may do. It runs its own scripts and reaches nobody.
           * @example default-src 'none'; script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
           */
          'Content-Security-Policy': string
          [name: string]: unknown
        }
        content: {
          /** @example <!doctype html><title>Fieldstation API</title> */
          'text/html': string
        }
      }
      /** @description You have this very page. */
      304: {
        headers: {
          /**
           * @description Names this version of the page. Send it back as `If-None-Match`.
           * @example W/"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
           */
          ETag: string
          /**
           * @description Keep the page, and ask each time whether it is still the same.
           * @example no-cache
           */
          'Cache-Control': string
          /**
           * @description What the page may do. It runs its own scripts and reaches nobody.
           * @example default-src 'none'; script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
           */
          'Content-Security-Policy': string
          [name: string]: unknown
        }
        content?: never
      }
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getLiveness: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description It does. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "status": "ok"
           *     }
           */
          'application/json': components['schemas']['Health']
        }
      }
      503: components['responses']['ServiceUnavailable']
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
  getReadiness: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description It is. */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "status": "ok",
           *       "checks": {
           *         "database": "ok",
           *         "store": "ok"
           *       }
           *     }
           */
          'application/json': components['schemas']['Readiness']
        }
      }
      /** @description It is not. */
      503: {
        headers: {
          'Retry-After': components['headers']['RetryAfter']
          [name: string]: unknown
        }
        content: {
          /**
           * @example {
           *       "status": "unavailable",
           *       "checks": {
           *         "database": "unavailable",
           *         "store": "ok"
           *       }
           *     }
           */
          'application/json': components['schemas']['Readiness']
        }
      }
      '4XX': components['responses']['ClientError']
      '5XX': components['responses']['ServerError']
    }
  }
}
/** What each job type takes and gives. */
export interface JobTypes {
  RASTER_INSPECTION: {
    input: components['schemas']['RasterInspectionJob']['inputPayload']
    result: components['schemas']['RasterInspectionResult']
  }
  REGIONAL_ASSESSMENT: {
    input: components['schemas']['RegionalAssessmentJob']['inputPayload']
    result: components['schemas']['RegionalAssessmentResult']
  }
  SUITABILITY_ASSESSMENT: {
    input: components['schemas']['SuitabilityAssessmentJob']['inputPayload']
    result: components['schemas']['SuitabilityAssessmentResult']
  }
  TEST: {
    input: components['schemas']['TestJob']['inputPayload']
    result: components['schemas']['TestResult']
  }
}
