/** Reports of leaked keys in the format of GitHub's secret scanning partner program. */
import { z } from 'zod';

/** One match. Its fields are GitHub's; unknown ones are ignored, because GitHub may add some. */
const githubMatchSchema = z.object({
  token: z.string().describe('The text that was found'),
  type: z.string().max(200).describe('The name of the pattern, as agreed with GitHub'),
  url: z.string().nullish().describe('Where it was found; may be empty'),
  source: z.string().nullish().describe('In what it was found, such as `commit` or `gist_content`'),
});

export const githubReportSchema = z.array(githubMatchSchema).meta({ id: 'GithubReport' });
export type GithubReport = z.infer<typeof githubReportSchema>;

export const githubFeedbackSchema = z
  .array(
    z.object({
      token_hash: z.string().describe('SHA-256 of the token in hexadecimal'),
      token_type: z.string().describe('`type` of the match'),
      label: z
        .enum(['true_positive', 'false_positive'])
        .describe('Whether it is a key of this deployment, in any status'),
    }),
  )
  .meta({ id: 'GithubFeedback' });
export type GithubFeedback = z.infer<typeof githubFeedbackSchema>;
