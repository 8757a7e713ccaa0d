import { IMAGES } from "../../src/formats/criu/images.js";
import { encodeMessage } from "../../src/schema/encode.js";
import type { MessageTable } from "../../src/schema/message.js";
import { imageOf } from "./recode.js";

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

function message(table: MessageTable, value: object): Buffer {
  return encodeMessage(table, value as never);
}

const DESC = { key: 1, uid: 2, gid: 3, cuid: 4, cgid: 5, mode: 6, id: 7 };

const [PIPES, QUEUES, TCP, BPF, SEM, MSG, SHM] = [
  IMAGES.PIPES_DATA,
  IMAGES.SK_QUEUES,
  IMAGES.TCP_STREAM,
  IMAGES.BPFMAP_DATA,
  IMAGES.IPCNS_SEM,
  IMAGES.IPCNS_MSG,
  IMAGES.IPCNS_SHM,
];

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const IPC_MESSAGE = bytesOf("08 01 10 03");

/** Images with bytes behind their records, and what their JSON must hold. */
export const PAYLOAD_IMAGES: readonly [name: string, image: Buffer, json: RegExp][] = [
  [
    "pipe data",
    imageOf(PIPES.magic as number, [
      [message(PIPES.entries[0].message, { pipe_id: 1, bytes: 3 }), Buffer.from("abc")],
      [message(PIPES.entries[0].message, { pipe_id: 2, bytes: 0 }), Buffer.alloc(0)],
    ]),
    /"extra": "YWJj\\n"\}.*"extra": ""\}/,
  ],
  [
    "a payload of many lines",
    imageOf(QUEUES.magic as number, [
      [message(QUEUES.entries[0].message, { id_for: 1, length: 200_000 }), Buffer.alloc(200_000, "xyz")],
    ]),
    /"extra": "(?:[A-Za-z0-9+/]{76}\\n)+[A-Za-z0-9+/]+=*\\n"/,
  ],
  [
    "the queues of a TCP connection",
    imageOf(TCP.magic as number, [
      [
        message(TCP.entries[0].message, {
          inq_len: 2,
          inq_seq: 1,
          outq_len: 1,
          outq_seq: 1,
          snd_wscale: 7,
          mss_clamp: 1460,
          opt_mask: 0,
        }),
        Buffer.from("abc"),
      ],
    ]),
    /"extra": \{"inq": "YWI=\\n", "outq": "Yw==\\n"\}/,
  ],
  [
    "keys and values of a bpf map",
    imageOf(BPF.magic as number, [
      [
        message(BPF.entries[0].message, { map_id: 1, keys_bytes: 1, values_bytes: 2, count: 1 }),
        Buffer.from("abc"),
      ],
    ]),
    /"extra": "YWJj\\n"/,
  ],
  [
    "semaphores",
    imageOf(SEM.magic as number, [
      [message(SEM.entries[0].message, { desc: DESC, nsems: 2 }), bytesOf("01 00 02 01 00 00 00 00")],
    ]),
    /"extra": \[1, 258\]\}/,
  ],
  [
    "semaphores of a big-endian machine",
    imageOf(
      SEM.magic as number,
      [[message(SEM.entries[0].message, { desc: DESC, nsems: 1 }), bytesOf("00 05 00 00 00 00 00 00")]],
      {
        bigEndian: true,
      },
    ),
    /"extra": \[5\]\}/,
  ],
  [
    "padding that is not zero",
    imageOf(SEM.magic as number, [
      [message(SEM.entries[0].message, { desc: DESC, nsems: 1 }), bytesOf("01 00 00 00 00 00 00 09")],
    ]),
    /"_padding": "AAAAAAAJ\\n", "extra": \[1\]\}/,
  ],
  [
    "messages",
    imageOf(MSG.magic as number, [
      [
        message(MSG.entries[0].message, { desc: DESC, qbytes: 9, qnum: 2 }),
        Buffer.concat([
          word(4),
          IPC_MESSAGE,
          bytesOf("61 62 63 00 00 00 00 00"),
          word(5),
          bytesOf("08 01 10 83 00"),
          bytesOf("61 62 63 00 00 00 00 07"),
        ]),
      ],
    ]),
    /"extra": \[\{"mtype": 1, "msize": 3\}, "YWJj\\n", \{"mtype": 1, "msize": 3, "_wire": "CAEQgwA=\\n", "_padding": "AAAAAAc=\\n"\}, "YWJj\\n"\]/,
  ],
  [
    "a queue without messages",
    imageOf(MSG.magic as number, [message(MSG.entries[0].message, { desc: DESC, qbytes: 9, qnum: 0 })]),
    /"extra": \[\]/,
  ],
  [
    "shared memory inside the image and in the pagemaps",
    imageOf(SHM.magic as number, [
      [message(SHM.entries[0].message, { desc: DESC, size: 3n }), bytesOf("61 62 63 00")],
      message(SHM.entries[0].message, { desc: DESC, size: 4096n, in_pagemaps: true }),
    ]),
    /"extra": "YWJj\\n"\}, \{.*"in_pagemaps": true, "extra": ""\}/,
  ],
];
