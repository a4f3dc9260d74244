"""The settings that presets name, each with where it is from. What a source leaves open is filled in and said."""

from rmtlottery.tickets.spec import Spec

SMALL = Spec().but(widths="8x100", lr=3e-3, epochs=30, batch=32, levels=17, seeds=(0, 1, 2, 3, 4))

# Mehra's slides, sources/rmt_lens: 8 layers of 256, tanh, (1.4, 0.3), 50 epochs, 15 cuts of 20 %, 10 % in the last layer.
# They name neither optimiser nor batch nor a validation set: Adam at 1e-3, 128 and the tenth held out are ours, and so is
# sigma_b of the orthogonal init. They print the bias std over sqrt(width): lens_fc_divided.
LENS = Spec().but(data="cifar10")
LENS_CONV = LENS.but(net={"kind": "conv", "channels": "8x128"})
SMALL_CONV = LENS_CONV.but(channels="8x32", strides="2,1,2", epochs=6)

# Frankle and Carbin 2019, figure 2 and appendices G, H: Gaussian Glorot, batches of 60, 5,000 samples for validation; 50,000
# steps (LeNet), 20,000, 25,000 and 30,000 (Conv-2, -4, -6), rounded here to whole epochs.
LENET = Spec().but(
    data="mnist",
    validation=0.08333,
    net={"kind": "fc", "phi": "relu", "widths": "300,100"},
    init="glorot",
    lr=1.2e-3,
    batch=60,
    epochs=55,
    levels=20,
)
CONV2 = Spec().but(
    data="cifar10",
    net={
        "kind": "conv",
        "phi": "relu",
        "padding": "zero",
        "channels": "2x64",
        "pools": "2",
        "readout": "flat",
        "widths": "2x256",
    },
    init="glorot",
    lr=2e-4,
    batch=60,
    epochs=27,
    levels=20,
    layer_rates="conv*=0.1",
)
CONV4 = CONV2.but(channels="2x64,2x128", pools="2,4", lr=3e-4, epochs=33)
CONV6 = CONV4.but(channels="2x64,2x128,2x256", pools="2,4,6", epochs=40, layer_rates="conv*=0.15")

# Two 5x5 convolutions without padding, each pooled, as in LeNet-5.
FIVES = {"kind": "conv", "phi": "relu", "kernel": 5, "padding": "none", "pools": "1,2", "readout": "flat"}

# Wang's Dual Axis: 62,240 weights, 10 epochs, 4 rounds, 344 weights left; this is the std of torch's own init, which
# is uniform. Adam and 64 are ours.
DUAL = Spec().but(
    data="mnist",
    net=FIVES | {"channels": "32,64", "bias": False},
    init={"sigma_w": 0.57735, "sigma_b": 0},
    batch=64,
    epochs=10,
    levels=4,
    rate=0.7273,
    last_rate=0.7273,
)

# Li et al. 2018, directly trained: what their subspaces are compared with. Epochs and batch are ours.
LI = Spec().but(init="he", data="mnist", net={"kind": "fc", "phi": "relu", "widths": "2x200"}, levels=0, epochs=20)
LI_LENET = LI.but(net=FIVES | {"channels": "6,16", "widths": "120,84"})
LI_UNTIED, LI_FC_LENET, LI_FCTIED = (
    LI.but(net={"kind": "lenet", "sharing": held}) for held in ("untied", "full", "tied_full")
)

# He et al. 2016 for the schedule of 64,000 steps, without their crops and flips, so some points below; one cut to 10 %.
RESNET = Spec().but(
    net="resnet",
    init="he",
    optimiser={"kind": "sgd", "lr": 0.1, "decay": 1e-4},
    schedule={"kind": "steps", "epochs": 182, "milestones": "91,136"},
    levels=1,
    rate=0.9,
    last_rate=0.9,
)

# Sigmas and cuts as in LENS, so that the skips are what differs: chi is above 1 in any residual net, and none is critical.
LENS_SKIP = LENS.but(net="skip", epochs=6)

# What fits into a quarter of an hour on one core: 19,000 weights, too few to fit the training part by heart, and halved five
# times. Of SGD at 0.1 and Adam at 3e-3, three epochs of one seed, validation chose SGD.
LENS_RESNET = RESNET.but(
    data="cifar10", depth=8, stem=8, schedule={"kind": "cosine", "epochs": 4}, levels=5, rate=0.5, last_rate=0.3
)

ONE_CUT = {"levels": 1, "rate": 0.9, "last_rate": 0.9}

PRESETS: dict[str, tuple[str, Spec]] = {
    "first": (
        "A first run, over in seconds: three layers, six cuts, two seeds.",
        Spec().but(widths="64,48,32", epochs=8, batch=64, levels=6, seeds=(0, 1)),
    ),
    "digits": ("An 8-layer tanh net at the edge of chaos on the bundled digits; minutes.", SMALL),
    "teacher": ("An 8-layer tanh net at the edge of chaos on a synthetic teacher; minutes.", SMALL.but(data="teacher")),
    "lens_fc": ("8x256 tanh net on CIFAR-10, normal init (Mehra, RMT lens; Poole et al. 2016).", LENS),
    "lens_fc_quick": ("lens_fc with 6 epochs a level: about 5 minutes a seed on 2 cores.", LENS.but(epochs=6)),
    "lens_fc_divided": (
        "lens_fc with the bias std over sqrt(width), as the slides write it (Mehra, RMT lens).",
        LENS.but(init="divided_bias"),
    ),
    "lens_fc_orthogonal": ("lens_fc with W^T W = 1 (Mehra, RMT lens).", LENS.but(init={"kind": "orthogonal", "sigma_w": 1})),
    "lens_conv": ("8 layers of 128 3x3 convolutions on CIFAR-10 (Mehra, RMT lens; Xiao et al. 2018).", LENS_CONV),
    "lens_conv_small": ("lens_conv with 32 channels, strides 2, 1, 2 and 6 epochs a level: for a CPU.", SMALL_CONV),
    "lens_skip": (
        "4 skips over two layers of 256, tanh, on CIFAR-10, 6 epochs a level (Mehra, RMT lens; Yang and Schoenholz 2017).",
        LENS_SKIP,
    ),
    "lens_resnet": (
        "ResNet-8 with 8 channels on CIFAR-10, 4 epochs and five cuts by half (Mehra, RMT lens; He et al. 2016).",
        LENS_RESNET,
    ),
    "lenet_300_100": ("LeNet-300-100 on MNIST (Frankle and Carbin 2019).", LENET),
    "conv2": ("Conv-2 on CIFAR-10 (Frankle and Carbin 2019).", CONV2),
    "conv4": ("Conv-4 on CIFAR-10 (Frankle and Carbin 2019).", CONV4),
    "conv6": ("Conv-6 on CIFAR-10 (Frankle and Carbin 2019).", CONV6),
    "zhou_lenet": ("lenet_300_100 cut by magnitude increase (Zhou et al. 2019).", LENET.but(criterion="magnitude_increase")),
    "snip_lenet": (
        "lenet_300_100 cut to 10 % before training by SNIP's criterion (Lee et al. 2019).",
        LENET.but(prune={"kind": "at_init", "scope": "global"} | ONE_CUT),
    ),
    "grasp_lenet": (
        "lenet_300_100 cut to 10 % before training by GraSP's criterion (Wang et al. 2020).",
        LENET.but(prune={"kind": "at_init", "criterion": "grasp", "scope": "global"} | ONE_CUT),
    ),
    "synflow_lenet": (
        "lenet_300_100 cut to 10 % before training by SynFlow's criterion, 100 rounds (Tanaka et al. 2020).",
        LENET.but(prune={"kind": "at_init", "criterion": "synflow", "rounds": 100, "scope": "global"} | ONE_CUT),
    ),
    "dual_axis": ("MNIST net of two convolutions, 62,240 weights, to 344 in 4 cuts (Wang, Dual Axis).", DUAL),
    "li_fc_mnist": ("784-200-200-10 on MNIST, dense (Li et al. 2018; Gargiulo 2023).", LI),
    "li_lenet_mnist": ("LeNet on MNIST, dense, 44,426 parameters (Li et al. 2018; Gargiulo 2023).", LI_LENET),
    "li_untied_mnist": ("Untied-LeNet on MNIST, dense, 286,334 parameters (Li et al. 2018; Gargiulo 2023).", LI_UNTIED),
    "li_fc_lenet_mnist": ("FC-LeNet on MNIST, dense, 3,640,574 parameters (Li et al. 2018; Gargiulo 2023).", LI_FC_LENET),
    "li_fctied_mnist": ("FCTied-LeNet on MNIST, dense, 193,370 parameters (Li et al. 2018; Gargiulo 2023).", LI_FCTIED),
    "li_fc_cifar10": (
        "3072-400-400-10 on CIFAR-10, dense (Li et al. 2018, the net of their notebook).",
        LI.but(data="cifar10", widths="2x400"),
    ),
    "li_lenet_cifar10": ("LeNet on CIFAR-10, dense, 62,006 parameters (Li et al. 2018).", LI_LENET.but(data="cifar10")),
    "li_untied_cifar10": (
        "Untied-LeNet on CIFAR-10, dense, 658,238 parameters (Li et al. 2018).",
        LI_UNTIED.but(data="cifar10"),
    ),
    "li_fc_lenet_cifar10": (
        "FC-LeNet on CIFAR-10, dense, 16,397,726 parameters (Li et al. 2018).",
        LI_FC_LENET.but(data="cifar10"),
    ),
    "li_fctied_cifar10": (
        "FCTied-LeNet on CIFAR-10, dense, 297,734 parameters (Li et al. 2018).",
        LI_FCTIED.but(data="cifar10"),
    ),
    "gargiulo_fc_cifar10": ("3072-270x4-10 on CIFAR-10, dense (Gargiulo 2023).", LI.but(data="cifar10", widths="4x270")),
    "resnet20_cifar10": (
        "ResNet-20 on CIFAR-10, one cut to 10 % (Gargiulo 2023; He et al. 2016).",
        RESNET.but(data="cifar10"),
    ),
    "resnet18_cifar10": (
        "ResNet-18 on CIFAR-10, one cut to 10 % (Gargiulo 2023; He et al. 2016).",
        RESNET.but(data="cifar10", net="resnet18"),
    ),
    "resnet32_cifar100": (
        "ResNet-32 on CIFAR-100, one cut to 10 % (Ye, Price of Sparsity; Evci et al. 2019).",
        RESNET.but(data="cifar100", depth=32),
    ),
}
