# The service, and with another command the worker:
#   docker run -e DATABASE_URL=… -e S3_BUCKET=… -e JWT_PRIVATE_KEY=… -e PUBLIC_URL=… -p 3000:3000 fieldstation
#   docker run -e FIELDSTATION_URL=… -e FIELDSTATION_API_KEY=… fieldstation node src/main/worker.ts
FROM node:24-slim

WORKDIR /app
COPY package.json package-lock.json ./
COPY sdk/package.json sdk/
RUN npm ci --omit=dev && npm cache clean --force

COPY openapi openapi
COPY generated generated
COPY sdk sdk
COPY src src
RUN mkdir /data && chown node:node /data

USER node
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
VOLUME /data
EXPOSE 3000
HEALTHCHECK CMD node -e "fetch('http://127.0.0.1:3000/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"
CMD ["node", "src/main/node.ts"]
