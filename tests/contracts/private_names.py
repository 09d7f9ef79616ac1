"""300 private names that people give to attributes and helpers of their classes."""

NAMES = [
    f"_{name}"
    for name in """
    accumulate accumulated activate activation active adapt add add_loss aggregate
    alpha apply args arguments assert_compiled assign attention auxiliary average
    axes axis backbone backward base batch batch_size batches before below beta bias
    block blocks bound box branch bridge buffer build build_layers build_model
    build_shapes built cache calculate call callback callbacks called cast channels
    check check_input check_inputs checkpoint children classes clear clip clone
    compile compile_config compute compute_dtype compute_loss compute_mask
    compute_metrics compute_output condition config context convert conv convs copy
    cost count counter counts create create_layers created critic current cut data
    dataset debug decay decode decoder default delta dense depth describe dim direction
    discriminator done draw drop dropout dtype embed embedding embeddings encode
    encoder end epoch epochs epsilon error evaluate excluded expand factor feature
    features feed fields filter filters find first fit flag flatten flush fn follow
    forget format forward found frame frozen fused gamma gate gates gen generator get
    get_config get_loss get_weights given gradient gradients graph group groups hash
    head heads helper hidden history hook hooks id idx index info init init_weights
    initial initialize initialized initializer inner inputs inverse is_built is_ready
    is_training items iterations iterator join keep kernel key keys kind known label
    labels lambda_ last latent layer layer_list layer_names layers learning_rate length
    level line linear load lock locked log logger logits logs loop loss loss_fn
    loss_tracker losses lr make map mask masks max mean measure merge method metric
    metrics min mode model models modules momentum monitor name names net network
    next noise norm normalize num number obj on_device on_epoch_end op optimizer
    options order out outer outputs overrides own pad padding parameters parent parse
    path paths pending period pool pop position pre prefix prepare prev process
    programs project projection proj q_network queue random rank rate ratio reduce
    record register regularizer remat remember replace reset residual restore result
    rng room rows run run_eagerly sample save scale scope score seed seen self_attn
    sequence set set_format setup shape shapes share shared sigma size skip slots
    smooth softmax sort source spec split stack stage start state stateless states
    step steps store stored stride sub_layers summary table tail take target targets
    tau temperature threshold time timer tokens total track tracked trackers
    trainable training transform transpose tree type units unpack unwrap update
    use_bias value values variables verbose weight weights where width wrap writer
    """.split()
]
