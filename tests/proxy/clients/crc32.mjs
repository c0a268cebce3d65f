// CRC-32, which Node has of its own from version 22.2 on.
const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  for (let bit = 0; bit < 8; bit++) index = index & 1 ? 0xedb88320 ^ (index >>> 1) : index >>> 1;
  return index;
});

export function crc32(bytes, before = 0) {
  let found = ~before;
  for (const byte of bytes) found = TABLE[(found ^ byte) & 255] ^ (found >>> 8);
  return ~found >>> 0;
}
