/**
 * The least that an HTTP server in Node can do. Prints its port.
 *
 *   node bench/programs/bare-server.ts [tuned]
 *
 * `tuned` sets the option of Node that saves the events of a body that never comes. Soku sets it, too.
 */
import { createServer } from 'node:http';

const server = createServer({ optimizeEmptyRequests: process.argv[2] === 'tuned' }, (_request, response) => {
  response.end('ok');
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
});
