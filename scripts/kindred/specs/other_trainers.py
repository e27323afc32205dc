"""What other trainers call our training options, for whoever writes their names out of habit.

docs/reference/recipe.md has the whole table; here are the names that are no keys of ours.
"""

OURS = {
    "network_dim": "rank",
    "linear": "rank",
    "r": "rank",
    "lora_rank": "rank",
    "network_alpha": "alpha",
    "linear_alpha": "alpha",
    "lora_alpha": "alpha",
    "target_modules": "targets",
    "use_rslora": "rslora",
    "use_dora": "dora",
    "max_train_steps": "steps",
    "train_batch_size": "batch",
    "batch_size": "batch",
    "gradient_accumulation_steps": "gradient_accumulation",
    "optimizer_type": "optimizer",
    "learning_rate": "lr",
    "lr_scheduler": "schedule",
    "lr_warmup_steps": "warmup",
    "timestep_sampling": "timesteps",
    "timestep_type": "timesteps",
    "discrete_flow_shift": "shift",
    "guidance_scale": "train_guidance",
    "caption_dropout_rate": "caption_dropout",
    "ema_decay": "ema",
    "prior_loss_weight": "class_images_weight",
    "num_class_images": "class_images_per_noun",
    "diff_output_preservation_multiplier": "diff_output_preservation",
}
