"""Axolotl's keys that have no counterpart, by the reason why."""

from tunewright.project.importing import rules

WITHOUT: dict[str, str] = {
    rules.ONE_DEVICE: (
        "deepspeed deepcompile fsdp* ddp* dp_* context_parallel_size tensor_parallel_size "
        "sequence_parallel_degree heads_k_stride ring_attn_func expert_parallel* device device_map "
        "world_size local_rank gpu* max_memory accelerator_config use_ray ray_* resources_per_worker "
        "node_count low_cpu_mem_usage experimental_skip_move_to_device qlora_sharded_model_loading "
        "lora_on_cpu torchdistx_path layer_offloading"
    ),
    rules.KERNELS: (
        "attn_implementation flash_attention flash_attn* flash_optimum flex_att* sdp* xformers* "
        "eager_attention sage_attention s2_attention liger_* lora_*_kernel use_kernels use_scattermoe "
        "use_sonicmoe fused_attn_kernel cut_cross_entropy* chunked_cross_entropy* tiled_mlp* tf32 "
        "experts_implementation gemma4_hybrid_attn_impl large_head_attention "
        "llama4_linearized_experts torch_compile_* batch_flattening gradient_checkpointing_kwargs "
        "selective_checkpointing use_dsv4_kernels use_glm_dsa_kernels dsv4_* quantize_moe_experts "
        "fp32_norm*"
    ),
    "results lie in the project's store, named by their content": (
        "output_dir dataset_prepared_path hub_* push_dataset_to_hub hf_use_auth_token merge_method "
        "merge_lora lora_model_dir save_only_model num_dataset_shards_to_save"
    ),
    rules.RESUMES: (
        "resume_from_checkpoint auto_resume_from_checkpoints save_steps saves_per_epoch save_strategy "
        "save_first_step dynamic_checkpoint"
    ),
    rules.EVENTS: "logging_steps debug include_tokens_per_second include_tkps profiler_* gc_*",
    "a tracker's run is called after the project": ("wandb_* mlflow_* trackio_* hf_mlflow_log_artifacts"),
    "there is no such tracker; train.sinks has them": (
        "use_comet comet_* use_swanlab swanlab_* use_otel_metrics otel_*"
    ),
    "the base's own configuration, tokenizer and template say so": (
        "model_type tokenizer_* base_model_* cls_model_config type_of_model special_tokens eot_tokens "
        "chat_template* is_*_derived_model bos_token eos_token pad_token unk_token rope_scaling "
        "additional_special_tokens added_tokens_overrides resize_token_embeddings_to_32x model_config "
        "mean_resizing_embeddings shrink_embeddings embeddings_skip_upcast overrides_of_model_* "
        "fix_untrained_tokens torch_dtype float32"
    ),
    "a base is read as its hub has it, or from a folder": "revision_of_model",
    rules.NO_CODE: "plugins trainer_cls",
    rules.NO_MEDIA: "processor_type processor_kwargs image_* freeze_mm_modules role_boundaries",
    rules.LOADING: (
        "dataset_processes dataset_num_proc dataset_keep_in_memory dataset_shard_* dataloader_* "
        "remove_unused_columns skip_prepare_dataset shuffle_before_merging_datasets streaming* "
        "sample_packing_* pretrain_multipack_* pretraining_sample_concatenation preprocess_iterable "
        "pad_to_multiple_of multipack_real_batches total_num_tokens total_supervised_tokens "
        "max_packed_sequence_len eval_batch_size eval_sequence_len max_prompt_len is_preprocess "
        "curriculum_sampling"
    ),
    "qlora is done by bitsandbytes in NF4": ("bnb_config_kwargs gptq* loftq_* peft model_quantization_*"),
    "every linear layer but the head is adapted, the head and embeddings are not": (
        "lora_modules_to_save lora_target_parameters lora_fan_in_fan_out peft_layer* "
        "lora_rank_pattern lora_alpha_pattern peft_trainable_token_indices peft_ensure_weight_tying "
        "loraplus_lr_embedding"
    ),
    "there is no such way of training": (
        "relora* jagged_restart_* lisa_* unfrozen_parameters qat quantization fp8* use_eaft eaft_* "
        "use_pose pose_* reinit_weights llmcompressor nvfp4_* use_onebitllms auto_find_batch_size "
        "num_labels center_rewards_coefficient trl vllm ebft kd_* peft_autocast_adapter_dtype"
    ),
    "one rate for all weights, by AdamW with its usual moments": (
        "embedding_lr* lr_groups adam_* optim_args optim_target_modules lr_scheduler_kwargs "
        "lr_quadratic_warmup cosine_* lr_div_factor eta_min dion_* qgalore_*"
    ),
    "the losses are TRL's, without this weight": (
        "dpo_label_smoothing dpo_use_weighting dpo_norm_loss dpo_loss_weights cpo_alpha "
        "precompute_ref_log_probs dpo_use_liger_kernel dpo_padding_free dpo_use_logits_to_keep"
    ),
    "a long run is looked at before its first step, and its losses are watched": "loss_watchdog_*",
    "suites measure what is learnt": (
        "do_causal_lm_eval eval_causal_lm_metrics do_bench_eval bench_* eval_strategy eval_table_size "
        "evaluation_strategy eval_max_new_tokens metric_for_best_model greater_is_better generat* "
        "num_generation_samples dpo_generate_during_eval"
    ),
    "rows are not dropped for being short": "min_sample_len",
}
"""Why → the keys that go nowhere for that reason, parted by blanks; `*` stands for any letters."""
