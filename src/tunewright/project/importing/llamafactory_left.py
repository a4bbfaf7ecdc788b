"""LLaMA-Factory's keys that have no counterpart, by the reason why."""

from tunewright.project.importing import rules

WITHOUT: dict[str, str] = {
    rules.ONE_DEVICE: (
        "deepspeed fsdp* ddp_* ray_* *_parallel_size tensor_model_parallel_size sequence_parallel "
        "pipeline_model_parallel_size expert_model_parallel_size context_parallel_size "
        "use_distributed_optimizer overlap_* master_* low_cpu_mem_usage device_map cp_* use_mca "
        "use_megatron_bridge megatron_bridge_args hyper_parallel_* use_hyper_parallel use_kt kt_* "
        "dist_config"
    ),
    rules.KERNELS: (
        "flash_attn enable_liger_kernel use_unsloth* use_v1_kernels shift_attn use_reentrant_gc "
        "gradient_checkpointing_kwargs bias_activation_fusion apply_rope_fusion moe_grouped_gemm "
        "moe_token_dispatcher_type recompute_granularity upcast_* tf32 use_packed_sequences"
    ),
    "results lie in the project's store, named by their content": (
        "output_dir overwrite_output_dir export_* adapter_name_or_path adapter_folder push_to_hub "
        "hub_* hf_hub_token ms_hub_token om_hub_token cache_dir save_only_model tokenized_path"
    ),
    rules.RESUMES: "resume_from_checkpoint save_steps save_strategy",
    rules.EVENTS: (
        "logging_steps logging_* plot_loss print_param_status include_* enable_torch_profiler profiler_*"
    ),
    "there is no such tracker; train.sinks has them": "use_swanlab swanlab_*",
    "a tracker's run is called after the project": "run_name",
    "the base's own configuration, tokenizer and template say so": (
        "template use_fast_tokenizer resize_vocab split_special_tokens rope_scaling model_revision "
        "tool_format add_special_tokens new_special_tokens_config init_special_tokens enable_thinking "
        "preserve_thinking train_from_scratch moe_aux_loss_coef"
    ),
    rules.NO_MEDIA: (
        "image_* video_* audio_* use_audio_in_video crop_to_patches media_dir freeze_vision_tower "
        "freeze_multi_modal_projector freeze_language_model"
    ),
    rules.LOADING: (
        "overwrite_cache preprocessing_* dataloader_* streaming buffer_size mix_strategy "
        "interleave_probs ignore_pad_token_for_loss data_shared_file_system remove_unused_columns "
        "per_device_eval_batch_size data_seed"
    ),
    "qlora is done by bitsandbytes in NF4": "quantization_* double_quantization",
    "every linear layer but the head is adapted, the head and embeddings are not": (
        "additional_target loraplus_lr_embedding create_new_adapter pissa_iter pissa_convert"
    ),
    "there is no such way of training": (
        "freeze_trainable_* freeze_extra_modules oft_* module_dropout use_galore galore_* use_apollo "
        "apollo_* use_badam badam_* use_adam_mini use_muon use_llama_pro mixture_of_depths "
        "use_dft_loss use_asft_loss asft_alpha use_eaft_loss eaft_alpha fp8* multi_token* ppo_* "
        "ref_model* reward_model* ld_alpha pref_bco_weight"
    ),
    "one rate for all weights, by AdamW with its usual moments": "adam_* lr_scheduler_kwargs optim_*",
    "the losses are TRL's, without this weight": "dpo_label_smoothing",
    "suites measure what is learnt": (
        "do_eval do_predict predict_with_generate compute_accuracy eval_strategy eval_num_beams "
        "eval_on_each_dataset evaluation_strategy metric_for_best_model greater_is_better"
    ),
    "answers are drawn by decoding's own settings": (
        "do_sample top_k num_beams max_length repetition_penalty length_penalty skip_special_tokens "
        "infer_* vllm_* sglang_* use_kv_cache offload_folder"
    ),
}
"""Why → the keys that go nowhere for that reason, parted by blanks; `*` stands for any letters."""
