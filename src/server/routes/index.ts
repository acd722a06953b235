/** The table of all routes. */
import type { RawRoute } from '../raw-route.js';
import type { Route } from '../route.js';
import { assessmentRoutes } from './assessments.js';
import { downloadRoutes } from './downloads.js';
import { experimentRoutes } from './experiments.js';
import { informationRoutes } from './information.js';
import { listingRoutes } from './listings.js';
import { loggedModelRoutes } from './logged-models.js';
import { metricRoutes } from './metrics.js';
import { modelVersionRoutes } from './model-versions.js';
import { oldTraceRoutes } from './old-traces.js';
import { otlpRoutes } from './otlp.js';
import { proxyRoutes } from './proxy.js';
import { registeredModelRoutes } from './registered-models.js';
import { runRoutes } from './runs.js';
import { traceFileRoutes } from './trace-files.js';
import { traceRoutes } from './traces.js';

export const routes: readonly Route[] = [
  ...experimentRoutes,
  ...runRoutes,
  ...metricRoutes,
  ...loggedModelRoutes,
  ...registeredModelRoutes,
  ...modelVersionRoutes,
  ...listingRoutes,
  ...traceRoutes,
  ...assessmentRoutes,
  ...oldTraceRoutes,
];

export const rawRoutes: readonly RawRoute[] = [
  ...informationRoutes,
  ...proxyRoutes,
  ...downloadRoutes,
  ...traceFileRoutes,
  ...otlpRoutes,
];
