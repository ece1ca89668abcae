/**
 * A minimal HTTP server in Node. Prints its port.
 *
 *   node bench/programs/bare-server.ts [tuned]
 *
 * `tuned` sets Node's option that skips the events of an absent body. Soku sets it as well.
 */
import { createServer } from 'node:http';

const server = createServer({ optimizeEmptyRequests: process.argv[2] === 'tuned' }, (_request, response) => {
  response.end('ok');
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
});
