import { z } from 'zod';
import { isPrintable, isVisible } from './visible-text.ts';

/** The name of a key, a person or a workspace. */
export const nameSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .refine((name) => [...name].length <= 100, 'must have at most 100 characters')
  .refine(isPrintable, 'must not contain control or invisible characters')
  .refine((name) => name === '' || isVisible(name), 'must have a visible character')
  .describe('1-100 characters after trimming');
