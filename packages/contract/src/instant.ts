import { z } from 'zod';

/** A time as responses have it. */
export const instantSchema = z.iso.datetime().describe('ISO 8601, UTC');
