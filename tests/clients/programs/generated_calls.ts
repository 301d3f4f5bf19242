// Calls every dialect through a client whose types a generator made of the OpenAPI documents.

import createClient from "openapi-fetch";
import type { paths as OneMin } from "./1min";
import type { paths as Own } from "./enlarger";
import type { paths as Omixa } from "./omixa";
import type { paths as Scenario } from "./scenario";
import type { paths as Stability } from "./stability";

function form(body: object): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(body)) data.append(name, value);
  return data;
}

export async function seen(baseUrl: string, key: string, picture: string) {
  const at = (prefix: string, headers: Record<string, string>) => ({ baseUrl: `${baseUrl}/${prefix}`, headers });
  const bearer = { authorization: `Bearer ${key}` };
  const blob = new Blob([Uint8Array.from(atob(picture), (byte) => byte.charCodeAt(0))]) as unknown as string;

  const stability = createClient<Stability>(at("stability", bearer));
  const fast = await stability.POST("/v2beta/stable-image/upscale/fast", {
    headers: { accept: "application/json" },
    body: { image: blob, output_format: "png" },
    bodySerializer: form,
  });
  const artifact = fast.data as { image: string; finish_reason: string };

  const omixa = createClient<Omixa>(at("omixa", bearer));
  const generated = await omixa.POST("/api/v1/images/generations", {
    body: {
      model: "enlarger-fast",
      input_images: [{ type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } }],
    },
  });

  const oneMin = createClient<OneMin>(at("1min", { "API-KEY": key }));
  const asset = await oneMin.POST("/api/assets", { body: { asset: blob }, bodySerializer: form });

  const scenario = createClient<Scenario>(at("scenario", { authorization: `Basic ${btoa(`${key}:${key}`)}` }));
  const models = await scenario.GET("/v1/models");

  const own = createClient<Own>(at("enlarger", bearer));
  const order = await own.POST("/v1/jobs", {
    body: { image: blob, target: "2x", wait: true },
    bodySerializer: form,
  });

  const wrong = [fast, generated, asset, models, order].map((answer) => answer.error).filter(Boolean);
  if (wrong.length) throw new Error(JSON.stringify(wrong));
  return {
    stability: [artifact.image, artifact.finish_reason],
    omixa: [generated.data?.data[0]?.b64_json, generated.data?.usage.billed_amount],
    "1min": asset.data?.asset.key,
    scenario: models.data?.models.map((model) => model.id),
    enlarger: order.data?.state,
  };
}
