/** The least that an HTTP server in Node can do. Prints its port. */
import { createServer } from 'node:http';

const server = createServer((_request, response) => {
  response.end('ok');
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
});
