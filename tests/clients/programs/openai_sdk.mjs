// Sends requests with the `openai` package, and prints what a program that uses it sees, as JSON.
// Arguments and output are those of openai_sdk.py.

import OpenAI from "openai";

async function generate(client, headers, params) {
  const { data, response, request_id } = await client.images.generate(params, { headers }).withResponse();
  return {
    created: data.created,
    b64_json: data.data[0].b64_json,
    url: data.data[0].url,
    billed_amount: data.usage.billed_amount,
    total_tokens: data.usage.total_tokens,
    text_tokens: data.usage.input_tokens_details.text_tokens,
    seed: response.headers.get("x-enlarger-seed"),
    request_id,
  };
}

async function models(client) {
  const names = [];
  for await (const model of client.models.list()) names.push((await client.models.retrieve(model.id)).id);
  return names;
}

async function outcome(baseURL, request) {
  const client = new OpenAI({ baseURL, apiKey: request.key });
  try {
    if (request.params === null) return { models: await models(client) };
    return await generate(client, request.headers, request.params);
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    return {
      class: error.constructor.name,
      status: error.status,
      code: error.code,
      type: error.type,
      param: error.param,
      message: error.message,
      request_id: error.requestID,
    };
  }
}

const [, , baseURL, requests] = process.argv;
const outcomes = [];
for (const request of JSON.parse(requests)) outcomes.push(await outcome(baseURL, request));
console.log(JSON.stringify(outcomes));
