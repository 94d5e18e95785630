import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  findSocketHolders,
  parseNetstat,
  parseSocketTable,
  readListeningSockets,
} from '../../supervisor/listening-sockets.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:4966 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 00000000991576d1 100 0 0 10 0
   1: 0100007F:4966 0100007F:D2A4 01 00000000:00000000 00:00000000 00000000  1000        0 31338 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:9966 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31339 1 0000000000000000 100 0 0 10 0
   3: 00000000000000000000000001000000:4966 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 33 0 31340 1 0 100 0 0 10 0
`;

describe('parseSocketTable', () => {
  it('finds the listening sockets of a port with their owner, and no connection', () => {
    expect(parseSocketTable(TABLE, 18_790)).toEqual([
      { inode: '31337', uid: 1_000 },
      { inode: '31340', uid: 33 },
    ]);
  });

  it('does not take a port for another one that ends alike', () => {
    expect(parseSocketTable(TABLE, 0x9966)).toEqual([{ inode: '31339', uid: 0 }]);
    expect(parseSocketTable(TABLE, 0x966)).toEqual([]);
  });

  it('finds nothing in an empty table', () => {
    expect(parseSocketTable('', 18_790)).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('the own tables', () => {
  it('lead from a port to this process', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(findSocketHolders(readListeningSockets(port))).toEqual([process.pid]);
    await new Promise((resolve) => server.close(resolve));
    expect(readListeningSockets(port)).toEqual([]);
  });
});

describe('parseNetstat', () => {
  it('finds the listeners of a port in any language, once each', () => {
    const text = [
      'Aktive Verbindungen',
      '',
      '  Proto  Lokale Adresse         Remoteadresse          Status           PID',
      '  TCP    0.0.0.0:18790          0.0.0.0:0              ABHÖREN          4711',
      '  TCP    [::]:18790             [::]:0                 ABHÖREN          4711',
      '  TCP    127.0.0.1:18790        127.0.0.1:50022        HERGESTELLT      99',
      '  TCP    127.0.0.1:8790         0.0.0.0:0              ABHÖREN          98',
      '  UDP    0.0.0.0:18790          *:*                                     97',
    ].join('\r\n');
    expect(parseNetstat(text, 18_790)).toEqual([4_711]);
  });
});
