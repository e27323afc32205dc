"""Photos, captions and prompts as the frozen base reads them, once per base.

needs: images.json and prepared images; captions.jsonl; prompt texts
gives: resources/encoded/<base>/<dataset>/latents.safetensors and text-<tokens>.safetensors,
       resources/encoded/<base>/prompts/<experiment>.<prompt_set>.safetensors,
       looked up by content hash; what was encoded before is taken from resources/store/encoded
"""
