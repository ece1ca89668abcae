import { z } from 'zod';

/** A time in a response. */
export const instantSchema = z.iso.datetime().describe('ISO 8601, UTC');

/** In ms. Usage is counted per UTC hour. */
export const msPerHour = 3_600_000;

/** In ms. */
export const msPerDay = 24 * msPerHour;
