import {
  type CallHandler,
  type DynamicModule,
  type ExecutionContext,
  type FactoryProvider,
  Module,
  type NestInterceptor,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { getDataSourceToken, getEntityManagerToken, getRepositoryToken } from '@nestjs/typeorm';
import { catchError, type Observable, throwError } from 'rxjs';
import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import { CreateAdminTree1790000000100 } from './admin-tree-tables.js';
import { openDatabase } from './open-database.js';
import { CreateOutbox1790000000000 } from './outbox-tables.js';
import { storeAnswerOf } from './store-error.js';

export interface DatabaseOptions {
  readonly entities: readonly (new () => object)[];
  /** Classes named `<What><13 digits>`; they run in the service's schema, after the outbox's own. */
  readonly migrations: readonly (new () => MigrationInterface)[];
  /** Connections at most; 10 unless said otherwise. */
  readonly poolSize?: number;
  /** Milliseconds one statement may take; 10,000 unless said otherwise. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds to wait for the database at start; 60,000 unless said otherwise. */
  readonly startTimeoutMs?: number;
}

/** A controller whose database is away answers 503, and one given what it cannot hold 400, whoever forgot to map it. */
class StoreErrorInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: unknown) => throwError(() => storeAnswerOf(error))));
  }
}

/** Closes its data source after the last request and drain. */
class DataSourceCloser implements OnApplicationShutdown {
  constructor(private readonly source: DataSource) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
  }
}

/** Holder of the dynamic module that `databaseModule` makes. */
@Module({})
export class DatabaseModule {}

/**
 * One service's database: a schema named after the service, made and migrated at start. Inject with
 * `@InjectDataSource(name)`, `@InjectEntityManager(name)` or `@InjectRepository(Entity, name)`.
 * @throws Error at start when the database is not reachable in time or a migration fails
 */
export function databaseModule(name: string, url: string, options: DatabaseOptions): DynamicModule {
  const source = getDataSourceToken(name);
  const injectable: FactoryProvider[] = [
    {
      provide: source,
      useFactory: () =>
        openDatabase(new DataSource(settingsOf(name, url, options)), name, options.startTimeoutMs ?? 60_000),
    },
    {
      provide: getEntityManagerToken(name),
      inject: [source],
      useFactory: ({ manager }: DataSource) => manager,
    },
    ...options.entities.map((entity) => ({
      provide: getRepositoryToken(entity, name),
      inject: [source],
      useFactory: (opened: DataSource) => opened.getRepository(entity),
    })),
  ];
  const closer: FactoryProvider = {
    provide: DataSourceCloser,
    inject: [source],
    useFactory: (opened: DataSource) => new DataSourceCloser(opened),
  };
  return {
    module: DatabaseModule,
    providers: [...injectable, closer, { provide: APP_INTERCEPTOR, useClass: StoreErrorInterceptor }],
    exports: injectable.map(({ provide }) => provide),
  };
}

function settingsOf(name: string, url: string, options: DatabaseOptions): DataSourceOptions {
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
  return {
    type: 'postgres',
    url,
    schema: name,
    entities: [...options.entities],
    migrations: [CreateOutbox1790000000000, CreateAdminTree1790000000100, ...options.migrations],
    synchronize: false,
    // Its logger prints parameters, and digests and arguments are parameters.
    logging: false,
    poolSize: options.poolSize ?? 10,
    connectTimeoutMS: 3_000,
    applicationName: `warder-${name}`,
    // A connection that broke while idle leaves the pool; whoever asks next gets a new one or the reason.
    poolErrorHandler: () => {},
    extra: {
      options: `-c search_path=${name}`,
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + 2_000,
      idle_in_transaction_session_timeout: 30_000,
      keepAlive: true,
    },
  };
}
