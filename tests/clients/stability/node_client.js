// The npm package `stability-ai`, with only the base URL and the key changed. Prints what it got as JSON.
import { createRequire } from 'node:module';
const require = createRequire(`${process.cwd()}/`);
const axios = require('axios');
const StabilityAI = require('stability-ai').default;

const [url, key, photo] = process.argv.slice(2);
// The package has its host as a constant.
axios.interceptors.request.use((request) => {
  request.url = request.url.replace('https://api.stability.ai', url);
  return request;
});

const stability = new StabilityAI(key);
const { upscale } = stability.v2beta.stableImage;
const refused = async (call) => {
  try {
    return await call();
  } catch (error) {
    return { message: error.message, name: error.name };
  }
};
const ended = async (fetch) => {
  for (;;) {
    const result = await fetch();
    if (result.status !== 'in-progress') return result;
    await new Promise((wake) => setTimeout(wake, 500));
  }
};

const creative = await upscale.startCreative(photo, 'a cup', { outputFormat: 'webp', creativity: 0.3, seed: 9 });
const options = { outputFormat: 'jpeg', creativity: 0.3, seed: 7, negativePrompt: 'blur' };
console.log(
  JSON.stringify({
    account: await stability.v1.user.account(),
    balance: await stability.v1.user.balance(),
    engines: await stability.v1.engines.list(),
    creative,
    pending: await upscale.fetchCreativeResult(creative.id, creative.outputFormat),
    conservative: await upscale.conservative(photo, 'a cup', options),
    result: await ended(() => upscale.fetchCreativeResult(creative.id, creative.outputFormat)),
    again: await ended(() => stability.v2beta.stableImage.results.fetchAsyncGenerationResult(creative.id)),
    gone: await refused(() => upscale.fetchCreativeResult('0'.repeat(64), 'png')),
    outOfRange: await refused(() => upscale.conservative(photo, 'a cup', { creativity: 0.9 })),
    noKey: await refused(() => new StabilityAI('wrong').v1.user.balance()),
  }),
);
