import { errorSchema } from '@soku/contract/errors';

/** The response of a server that fails, for `route.fulfill`. */
export const serverError = {
  status: 500,
  json: errorSchema.parse({
    error: {
      type: 'api_error',
      code: 'internal_error',
      message: 'Internal server error. Try again.',
      timestamp: new Date().toISOString(),
      requestId: 'req_fromatest',
    },
  }),
};
