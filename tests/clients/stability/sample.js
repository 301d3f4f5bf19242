// The vendor's JavaScript sample of the fast upscale, with only host and key changed.
import fs from 'node:fs';
import axios from 'axios';
import FormData from 'form-data';

const [host, key, photo, target] = process.argv.slice(2);
const payload = {
  image: fs.createReadStream(photo),
  output_format: 'jpeg',
};

const response = await axios.postForm(
  `${host}/v2beta/stable-image/upscale/fast`,
  axios.toFormData(payload, new FormData()),
  {
    validateStatus: undefined,
    responseType: 'arraybuffer',
    headers: {
      Authorization: `Bearer ${key}`,
      Accept: 'image/*',
    },
  },
);

if (response.status === 200) {
  fs.writeFileSync(target, Buffer.from(response.data));
} else {
  throw new Error(`${response.status}: ${response.data.toString()}`);
}
